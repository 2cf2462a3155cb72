"""Where ImageNet, its variants and the long-tailed benchmarks come from. Facts only."""

from __future__ import annotations

from npt_plugin.datasets.archives import Entry, Part

_TORONTO = "https://www.cs.toronto.edu/~kriz"
_PLACES = "http://data.csail.mit.edu/places/places365"
_INAT = "https://ml-inat-competition-datasets.s3.amazonaws.com/2018"
_LT_LISTS = "github.com/facebookresearch/classifier-balancing, folder data"


def _classnames(folder: str) -> Part:
    return Part(f"{folder}/classnames.txt", gdrive="1-61f_ol79pViBFDG_IDlUQSwoLcn2XXF")


ENTRIES = (
    Entry(
        "ImageNet",
        "ImageNet-1k (ILSVRC 2012)",
        "145 GB",
        "account and terms at image-net.org",
        ("imagenet/images/train", "imagenet/images/val", "imagenet/classnames.txt"),
        (_classnames("imagenet"),),
        (
            "register at image-net.org and download the ILSVRC 2012 training and validation images",
            "unpack so that ROOT/imagenet/images/train/<wnid> and ROOT/imagenet/images/val/<wnid> "
            "hold the images (the validation images sorted into class folders); links work too",
        ),
    ),
    Entry(
        "ImageNetV2",
        "ImageNetV2, matched frequency",
        "1.3 GB",
        "MIT (code); images as ImageNet",
        ("imagenetv2/imagenetv2-matched-frequency-format-val", "imagenetv2/classnames.txt"),
        (
            Part(
                "imagenetv2-matched-frequency.tar.gz",
                "https://s3-us-west-2.amazonaws.com/imagenetv2public/"
                "imagenetv2-matched-frequency.tar.gz",
                into="imagenetv2",
            ),
            _classnames("imagenetv2"),
        ),
        ("see github.com/modestyachts/ImageNetV2 for current links",),
    ),
    Entry(
        "ImageNetSketch",
        "ImageNet-Sketch",
        "7.6 GB",
        "MIT (code); images from the web",
        ("imagenet-sketch/images", "imagenet-sketch/classnames.txt"),
        (_classnames("imagenet-sketch"),),
        (
            "get the archive linked at github.com/HaohanWang/ImageNet-Sketch",
            "rename its folder of 1,000 class folders to ROOT/imagenet-sketch/images",
        ),
    ),
    Entry(
        "ImageNetA",
        "ImageNet-A",
        "690 MB",
        "MIT (code); images from the web",
        ("imagenet-adversarial/imagenet-a", "imagenet-adversarial/classnames.txt"),
        (
            Part(
                "imagenet-a.tar",
                "https://people.eecs.berkeley.edu/~hendrycks/imagenet-a.tar",
                into="imagenet-adversarial",
            ),
            _classnames("imagenet-adversarial"),
        ),
        ("see github.com/hendrycks/natural-adv-examples for current links",),
    ),
    Entry(
        "ImageNetR",
        "ImageNet-R",
        "2.2 GB",
        "MIT (code); images from the web",
        ("imagenet-rendition/imagenet-r", "imagenet-rendition/classnames.txt"),
        (
            Part(
                "imagenet-r.tar",
                "https://people.eecs.berkeley.edu/~hendrycks/imagenet-r.tar",
                into="imagenet-rendition",
            ),
            _classnames("imagenet-rendition"),
        ),
        ("see github.com/hendrycks/imagenet-r for current links",),
    ),
    Entry(
        "CIFAR10LT",
        "CIFAR-10 (long-tailed by config)",
        "170 MB",
        "not stated; research",
        ("cifar-10/cifar-10-batches-bin",),
        (
            Part(
                "cifar-10-binary.tar.gz",
                f"{_TORONTO}/cifar-10-binary.tar.gz",
                md5="c32a1d4ab5d03f1284b67883e8d87530",
                into="cifar-10",
            ),
        ),
    ),
    Entry(
        "CIFAR100LT",
        "CIFAR-100 (long-tailed by config)",
        "170 MB",
        "not stated; research",
        ("cifar-100/cifar-100-binary",),
        (
            Part(
                "cifar-100-binary.tar.gz",
                f"{_TORONTO}/cifar-100-binary.tar.gz",
                md5="03b5dce01913d631647c71ecec9e9cb8",
                into="cifar-100",
            ),
        ),
    ),
    Entry(
        "ImageNetLT",
        "ImageNet-LT",
        "5 MB of lists over ImageNet",
        "as ImageNet",
        (
            "imagenet-lt/ImageNet_LT_train.txt",
            "imagenet-lt/ImageNet_LT_test.txt",
            "imagenet/images/train",
            "imagenet/images/val",
            "imagenet/classnames.txt",
        ),
        (_classnames("imagenet"),),
        (
            "set up ImageNet as for the dataset ImageNet",
            "put ImageNet_LT_{train,val,test}.txt into ROOT/imagenet-lt "
            f"({_LT_LISTS}/ImageNet_LT)",
        ),
    ),
    Entry(
        "PlacesLT",
        "Places-LT",
        "25 GB (256 px) and 4 MB of lists",
        "MIT terms, non-commercial research",
        (
            "places-lt/Places_LT_train.txt",
            "places-lt/Places_LT_test.txt",
            "places365/train",
            "places365/val",
        ),
        (),
        (
            f"get train_256_places365standard.tar and val_256.tar from {_PLACES}",
            "arrange them as ROOT/places365/train/<scene>/*.jpg and ROOT/places365/val/<scene>/"
            "*.jpg, <scene> as in the lists (airfield, apartment_building-outdoor, ...)",
            f"put Places_LT_{{train,val,test}}.txt into ROOT/places-lt ({_LT_LISTS}/Places_LT)",
        ),
    ),
    Entry(
        "INaturalist2018",
        "iNaturalist 2018",
        "120 GB",
        "non-commercial research; per-image licences",
        ("inaturalist2018/train_val2018", "inaturalist2018/categories.json"),
        (
            Part(
                "train_val2018.tar.gz",
                f"{_INAT}/train_val2018.tar.gz",
                md5="b1c6952ce38f31868cc50ea72d066cc3",
                into="inaturalist2018",
            ),
            Part("train2018.json.tar.gz", f"{_INAT}/train2018.json.tar.gz", into="inaturalist2018"),
            Part("val2018.json.tar.gz", f"{_INAT}/val2018.json.tar.gz", into="inaturalist2018"),
            Part(
                "categories.json.tar.gz", f"{_INAT}/categories.json.tar.gz", into="inaturalist2018"
            ),
        ),
        ("see github.com/visipedia/inat_comp/tree/master/2018 for current links",),
    ),
)
