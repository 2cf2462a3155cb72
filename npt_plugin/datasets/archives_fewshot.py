"""Where the ten small few-shot datasets come from. Facts only."""

from __future__ import annotations

from npt_plugin.datasets.archives import Entry, Part

_OXFORD = "https://www.robots.ox.ac.uk/~vgg/data"


def _split(folder: str, name: str, gdrive: str) -> Part:
    return Part(f"{folder}/split_zhou_{name}.json", gdrive=gdrive)


ENTRIES = (
    Entry(
        "Caltech101",
        "Caltech-101",
        "140 MB",
        "CC BY 4.0",
        ("caltech-101/101_ObjectCategories", "caltech-101/split_zhou_Caltech101.json"),
        (
            Part(
                "caltech-101.zip",
                "https://data.caltech.edu/records/mzrjq-6wc02/files/caltech-101.zip",
                md5="3138e1922a9193bfa496528edbbc45d0",
                into="caltech-101",
                inner="caltech-101/101_ObjectCategories.tar.gz",
            ),
            _split("caltech-101", "Caltech101", "1hyarUivQE36mY6jSomru6Fjd-JzwcCzN"),
        ),
        ("unpack 101_ObjectCategories.tar.gz from data.caltech.edu into ROOT/caltech-101",),
    ),
    Entry(
        "OxfordPets",
        "Oxford-IIIT Pet",
        "810 MB",
        "CC BY-SA 4.0",
        ("oxford_pets/images", "oxford_pets/annotations", "oxford_pets/split_zhou_OxfordPets.json"),
        (
            Part(
                "images.tar.gz",
                f"{_OXFORD}/pets/data/images.tar.gz",
                md5="5c4f3ee8e5d25df40f4fd59a7f44e54c",
                into="oxford_pets",
            ),
            Part(
                "annotations.tar.gz",
                f"{_OXFORD}/pets/data/annotations.tar.gz",
                md5="95a8c909bbe2e81eed6a22bccdf3f68f",
                into="oxford_pets",
            ),
            _split("oxford_pets", "OxfordPets", "1501r8Ber4nNKvmlFVQZ8SeUHTcdTTEqs"),
        ),
    ),
    Entry(
        "StanfordCars",
        "Stanford Cars",
        "1.9 GB",
        "non-commercial research",
        (
            "stanford_cars/cars_train",
            "stanford_cars/cars_test",
            "stanford_cars/split_zhou_StanfordCars.json",
        ),
        (_split("stanford_cars", "StanfordCars", "1ObCFbaAgVu0I-k_Au-gIUcefirdAuizT"),),
        (
            "the original site no longer serves the images: get cars_train.tgz and cars_test.tgz "
            "from a mirror you may use",
            "unpack both into ROOT/stanford_cars, giving cars_train/00001.jpg, ... and "
            "cars_test/00001.jpg, ... (some mirrors nest the folder twice: move it up)",
            "only if the split file cannot be had: also devkit/*.mat and "
            "cars_test_annos_withlabels.mat",
        ),
    ),
    Entry(
        "OxfordFlowers",
        "Flowers 102",
        "350 MB",
        "not stated; research",
        (
            "oxford_flowers/jpg",
            "oxford_flowers/cat_to_name.json",
            "oxford_flowers/split_zhou_OxfordFlowers.json",
        ),
        (
            Part(
                "102flowers.tgz",
                f"{_OXFORD}/flowers/102/102flowers.tgz",
                md5="52808999861908f626f3c1f4e79d11fa",
                into="oxford_flowers",
            ),
            Part(
                "oxford_flowers/imagelabels.mat",
                f"{_OXFORD}/flowers/102/imagelabels.mat",
                md5="e0620be6f572b9609742df49c70aed4d",
            ),
            Part("oxford_flowers/cat_to_name.json", gdrive="1AkcxCXeK_RCGCEC_GvmWxjcjaNhu-at0"),
            _split("oxford_flowers", "OxfordFlowers", "1Pp0sRXzZFZq15zVOzKjKBu4A9i01nozT"),
        ),
    ),
    Entry(
        "Food101",
        "Food-101",
        "5 GB",
        "Foodspotting terms; research",
        ("food-101/images", "food-101/meta", "food-101/split_zhou_Food101.json"),
        (
            Part(
                "food-101.tar.gz",
                "http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz",
                md5="85eeb15f3717b99a5da872d97d918f87",
                into=".",
            ),
            _split("food-101", "Food101", "1QK0tGi096I0Ba6kggatX1ee6dJFIcEJl"),
        ),
    ),
    Entry(
        "FGVCAircraft",
        "FGVC-Aircraft",
        "2.7 GB",
        "non-commercial research",
        (
            "fgvc_aircraft/images",
            "fgvc_aircraft/variants.txt",
            "fgvc_aircraft/images_variant_train.txt",
            "fgvc_aircraft/images_variant_val.txt",
            "fgvc_aircraft/images_variant_test.txt",
        ),
        (
            Part(
                "fgvc-aircraft-2013b.tar.gz",
                f"{_OXFORD}/fgvc-aircraft/archives/fgvc-aircraft-2013b.tar.gz",
                into="fgvc_aircraft",
                strip="fgvc-aircraft-2013b/data",
            ),
        ),
    ),
    Entry(
        "SUN397",
        "SUN397",
        "37 GB",
        "not stated; research",
        ("sun397/SUN397", "sun397/split_zhou_SUN397.json"),
        (
            Part(
                "SUN397.tar.gz",
                "http://vision.princeton.edu/projects/2010/SUN/SUN397.tar.gz",
                md5="8ca2778205c41d23104230ba66911c7a",
                into="sun397",
            ),
            _split("sun397", "SUN397", "1y2RD81BYuiyvebdN-JymPfyWYcd8_MUq"),
        ),
        (
            "users report that the Princeton link is often down: any copy of SUN397.tar.gz with "
            "MD5 8ca2778205c41d23104230ba66911c7a will do",
            "unpack it into ROOT/sun397, giving SUN397/a/abbey/...",
        ),
    ),
    Entry(
        "DescribableTextures",
        "Describable Textures (DTD)",
        "600 MB",
        "research",
        ("dtd/images", "dtd/split_zhou_DescribableTextures.json"),
        (
            Part(
                "dtd-r1.0.1.tar.gz",
                f"{_OXFORD}/dtd/download/dtd-r1.0.1.tar.gz",
                md5="fff73e5086ae6bdbea199a49dfb8a4c1",
                into=".",
            ),
            _split("dtd", "DescribableTextures", "1u3_QfB467jqHgNXC00UIzbLZRQCg2S7x"),
        ),
    ),
    Entry(
        "EuroSAT",
        "EuroSAT (RGB)",
        "90 MB",
        "MIT",
        ("eurosat/2750", "eurosat/split_zhou_EuroSAT.json"),
        (
            Part(
                "EuroSAT.zip",
                "https://huggingface.co/datasets/torchgeo/eurosat/resolve/"
                "c877bcd43f099cd0196738f714544e355477f3fd/EuroSAT.zip",
                md5="c8fa014336c82ac7804f0398fcb19387",
                into="eurosat",
            ),
            _split("eurosat", "EuroSAT", "1Ip7yaCWFi0eaOFUGga0lUdVi_DDQth1o"),
        ),
    ),
    Entry(
        "UCF101",
        "UCF101, middle frames",
        "230 MB",
        "research",
        ("ucf101/UCF-101-midframes", "ucf101/split_zhou_UCF101.json"),
        (
            Part(
                "UCF-101-midframes.zip", gdrive="10Jqome3vtUA2keJkNanAiFpgbyC9Hc2O", into="ucf101"
            ),
            _split("ucf101", "UCF101", "1I0S0q91hJfsV9Gf4xDIjgDq4AqBNJb1y"),
        ),
    ),
)
