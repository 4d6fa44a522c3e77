"""Photos as people have them: files of any kind and size, with faces anywhere; `zoo.photos.colorizer` colours them."""
