import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from support.models import TINY_DENOISER, CountingEncoder, tiny_model
from zoo import checkpoint, registry
from zoo.denoisers.unet import UNet
from zoo.diffusion.chroma import dynamic_threshold
from zoo.diffusion.samplers import SamplerConfig
from zoo.errors import ZooError
from zoo.faces.framing import Box
from zoo.features import Features
from zoo.model import ColorDiffusion


def generators(n: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(i) for i in range(n)]


def opened(model: ColorDiffusion) -> ColorDiffusion:
    """As after training: no weight is zero any more."""
    rng = torch.Generator().manual_seed(9)
    with torch.no_grad():
        for p in model.parameters():
            p.add_((p == 0) * 0.1 * torch.randn(p.shape, generator=rng))
    return model.eval()


def grey(n: int = 2) -> torch.Tensor:
    return torch.rand(n, 1, 16, 16, generator=torch.Generator().manual_seed(5)) * 2 - 1


def color(model: ColorDiffusion, L: torch.Tensor, **sampler: float) -> torch.Tensor:
    return model.colorize(L, model.encode(L), SamplerConfig(**{"steps": 3, **sampler}), generators(len(L)))


def test_the_encoder_is_called_once_per_image_whatever_the_steps() -> None:
    model = opened(tiny_model("counting"))
    CountingEncoder.seen = 0
    color(model, grey(2), steps=7, guidance=2.0)
    assert CountingEncoder.seen == 2


def test_without_conditioning_the_encoder_is_not_run() -> None:
    CountingEncoder.seen = 0
    color(tiny_model("counting", "none"), grey(2))
    assert CountingEncoder.seen == 0


def test_the_denoiser_starts_the_same_whatever_is_plugged_in() -> None:
    plain = tiny_model("none", "none").denoiser.state_dict()
    joined = tiny_model("unet", "concat").denoiser.state_dict()
    for name, weight in plain.items():
        if weight.shape == joined[name].shape:
            assert torch.equal(weight, joined[name]), name
        elif weight.dim() == 4:
            assert torch.equal(weight, joined[name][:, : weight.shape[1]]), name
            assert joined[name][:, weight.shape[1] :].abs().max() == 0, name


def test_building_a_model_leaves_the_global_random_state_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    tiny_model()
    assert torch.equal(torch.rand(1), expected)


def test_no_detail_of_lightness_is_lost_at_low_chroma_resolution() -> None:
    denoiser = UNet(**TINY_DENOISER)
    torch.nn.init.normal_(denoiser.conv_out[2].weight)
    ab_t, t, L = torch.zeros(1, 2, 4, 4), torch.ones(1), torch.zeros(1, 1, 16, 16)
    before = denoiser(ab_t, L, t, lambda h, i: h, None)
    for y, x in [(0, 0), (5, 6), (15, 15)]:
        changed = L.clone()
        changed[0, 0, y, x] = 1
        assert not torch.equal(denoiser(ab_t, changed, t, lambda h, i: h, None), before)


@pytest.mark.parametrize(("chroma_scale", "patch"), [(1, 1), (2, 1), (2, 2), (4, 1)])
def test_colorings_have_the_size_of_l_at_every_chroma_resolution(chroma_scale: int, patch: int) -> None:
    model = tiny_model(denoiser=TINY_DENOISER | {"chroma_scale": chroma_scale, "patch": patch})
    L = torch.zeros(2, 1, 16, 32)  # the network is convolutional: not only the size it was trained at
    assert color(model, L).shape == (2, 2, 16, 32)


def test_a_sample_does_not_depend_on_its_batch() -> None:
    model, L = opened(tiny_model()), grey(3)
    together = color(model, L)
    sampler, rng = SamplerConfig(steps=3), [torch.Generator().manual_seed(2)]
    alone = model.colorize(L[2:], model.encode(L[2:]), sampler, rng)
    torch.testing.assert_close(alone[0], together[2], atol=1e-4, rtol=1e-4)


def test_guidance_of_one_is_none_and_more_moves_away_from_the_null() -> None:
    model, L = opened(tiny_model()), grey(1)
    plain, unguided, guided = (color(model, L, guidance=g) for g in (1.0, 0.0, 2.0))
    assert not torch.equal(plain, unguided)
    assert not torch.equal(plain, guided)
    dropped = tiny_model()
    dropped.load_state_dict(model.state_dict())
    dropped.eval().conditioner.prepare = (
        lambda f, s: tuple(  # type: ignore[method-assign]
            n.expand(1, *n.shape[:-2], 16 // level.stride, 16 // level.stride)
            for n, level in zip(model.conditioner.null, model.conditioner.denoiser_levels, strict=True)
        )
    )
    torch.testing.assert_close(color(dropped, L), unguided, atol=1e-5, rtol=1e-5)


def test_dynamic_thresholding_bounds_its_percentile() -> None:
    x = torch.randn(2, 2, 16, 16) * 3
    assert dynamic_threshold(x, 0.9).abs().max() <= 1
    small = torch.rand(1, 2, 4, 4) * 0.5
    assert torch.equal(dynamic_threshold(small, 0.9), small)


def test_a_saved_model_colors_the_same(tmp_path: Path) -> None:
    model = opened(tiny_model())
    model.set_chroma_statistics(torch.rand(8, 2, 16, 16))
    checkpoint.save(model, tmp_path / "m.safetensors")
    loaded = checkpoint.load(tmp_path / "m.safetensors")
    assert loaded.spec == model.spec
    assert torch.equal(color(loaded, grey()), color(model, grey()))
    assert list(tmp_path.iterdir()) == [tmp_path / "m.safetensors"]


def test_frozen_pretrained_weights_are_not_stored_but_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @registry.encoders.register("pretrained-for-test")
    class Pretrained(CountingEncoder):
        weights_sha = "a" * 64

        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(1000), requires_grad=False)

        def forward(self, L: torch.Tensor) -> Features:
            return super().forward(L * self.weight[0])

    monkeypatch.setattr(Pretrained, "__module__", "tests")
    path = tmp_path / "m.safetensors"
    checkpoint.save(tiny_model("pretrained-for-test"), path)
    assert not [name for name in load_file(path) if name.startswith("encoder.")]
    checkpoint.load(path)
    monkeypatch.setattr(Pretrained, "weights_sha", "b" * 64)
    with pytest.raises(ZooError, match="trained with encoder weights of sha256 aaaaaaaaaaaa…, not bbbbbbbbbbbb…"):
        checkpoint.load(path)


def rewrite(path: Path, **metadata: str) -> None:
    model = tiny_model()
    spec = json.dumps(model.spec)
    known = {"format": "face-colour-zoo", "version": "1", "spec": spec, "encoder_sha256": ""}
    save_file(model.stored_state(), path, known | metadata)


def spec_with(**changes: object) -> str:
    return json.dumps(tiny_model().spec | changes)


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"format": "pt"}, "not one of this project"),
        ({"version": "99"}, "has format 99; this version reads 1"),
        ({"spec": spec_with(encoder={"name": "unett"})}, "needs the encoder 'unett', a plug-in that is not here"),
        ({"spec": spec_with(cond={"name": "none"})}, "damaged or edited"),
        ({"spec": "{"}, "spec cannot be read"),
        ({"spec": spec_with(denoiser=TINY_DENOISER | {"width": 64})}, "damaged or edited"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path: Path, metadata: dict[str, str], said: str) -> None:
    rewrite(tmp_path / "m.safetensors", **metadata)
    with pytest.raises(ZooError, match=said) as error:
        checkpoint.load(tmp_path / "m.safetensors")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x80\x04pickle", b"\xff" * 64])
def test_what_is_no_safetensors_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(ZooError, match="not a readable safetensors file"):
        checkpoint.load(path)
    with pytest.raises(ZooError, match="does not exist"):
        checkpoint.load(tmp_path / "absent.safetensors")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"image_size": 20}, "multiple of 8"),
        ({"denoiser": {"width": 30}}, "multiple of 32"),
        ({"denoiser": {"chroma_scale": 3}}, "1, 2 or 4"),
        ({"encoder": {"name": "unett"}}, "did you mean 'unet'"),
        ({"cond": {"name": "xatn"}}, "did you mean 'xattn'"),
        ({"encoder": {"name": "unet", "depth": 3}}, "unexpected keyword argument 'depth'"),
    ],
)
def test_impossible_models_are_refused_at_construction(changes: dict, said: str) -> None:
    with pytest.raises(ZooError, match=said):
        tiny_model(**changes)


def test_what_conditioning_adds_is_counted() -> None:
    counts = tiny_model("unet", "concat").parameter_counts()
    plain = tiny_model("unet", "none").parameter_counts()
    assert counts["params"] == plain["params"] + counts["cond_params"]
    assert counts["cond_params"] > 0
    assert plain["cond_params"] == 0


def test_a_file_remembers_where_its_photos_had_the_face(tmp_path: Path) -> None:
    model = tiny_model()
    checkpoint.save(model, tmp_path / "unknown.safetensors")
    model.face_box = Box(-0.1, -0.26, 1.19)
    checkpoint.save(model, tmp_path / "known.safetensors")
    assert checkpoint.load(tmp_path / "unknown.safetensors").face_box is None
    assert checkpoint.load(tmp_path / "known.safetensors").face_box == Box(-0.1, -0.26, 1.19)
