"""A fuzz target: a corpus replay test everywhere, libFuzzer with --config=fuzz."""

load("@rules_cc//cc:cc_test.bzl", "cc_test")

def godwit_cc_fuzz_test(name, srcs, deps, corpus, **kwargs):
    """With --config=fuzz, NAME links libFuzzer; without, NAME replays `corpus`.

    Args:
      name: the target; the file names of its corpus lie in corpus/NAME/.
      srcs: defines LLVMFuzzerTestOneInput.
      deps: what the target tests.
      corpus: seed inputs and inputs that once failed. Must not be empty.
      **kwargs: handed to cc_test.
    """
    if not corpus:
        fail("%s: a fuzz test without a corpus tests nothing" % name)
    cc_test(
        name = name,
        srcs = srcs + select({
            "//bazel:fuzzing": [],
            "//conditions:default": ["//bazel:standalone_fuzz_main.cc"],
        }),
        args = ["$(location %s)" % c for c in corpus],
        data = corpus,
        linkopts = select({
            "//bazel:fuzzing": ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        tags = ["fuzz"],
        deps = deps,
        **kwargs
    )
