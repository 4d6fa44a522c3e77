import torch

from zoo.color.upsample import downsample_chroma, upsample_chroma


def test_chroma_of_one_color_survives_down_and_upsampling() -> None:
    L = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    ab = torch.tensor([0.2, -0.1]).view(1, 2, 1, 1).expand(2, 2, 32, 32)
    for scale in (1, 2, 4):
        torch.testing.assert_close(upsample_chroma(downsample_chroma(ab, scale), L), ab, atol=1e-5, rtol=0)


def test_upsampled_chroma_ends_where_lightness_does() -> None:
    left = (torch.arange(32) < 13).float()  # not on the grid of the low resolution
    L = (left * 1.2 - 0.6).expand(1, 1, 32, 32)
    ab = (left * 0.3).expand(1, 2, 32, 32)
    low = downsample_chroma(ab, 4)
    bilinear = torch.nn.functional.interpolate(low, (32, 32), mode="bilinear")
    guided = upsample_chroma(low, L)
    assert (guided - ab).abs().mean() < 0.3 * (bilinear - ab).abs().mean()
