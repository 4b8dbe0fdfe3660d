"""What an installation takes from the libraries of this repository, and what it leaves outside."""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")
load("@rules_cc//cc/common:cc_info.bzl", "CcInfo")

_RPATH = "-Wl,-rpath,"

# buildifier: disable=native-cc-common
def _own_libraries_impl(ctx):
    contexts = [dep[CcInfo] for dep in ctx.attr.deps]
    objects = {}
    outside_flags = []
    outside_files = {}
    for context in contexts:
        for linker_input in context.linking_context.linker_inputs.to_list():
            is_own = linker_input.owner.workspace_name == ctx.label.workspace_name
            for flag in [] if is_own else linker_input.user_link_flags:
                outside_flags.append(flag)
            for library in linker_input.libraries:
                if is_own:
                    for o in library.pic_objects or library.objects or []:
                        objects[o] = None
                else:
                    outside_files[library.resolved_symlink_dynamic_library or library.dynamic_library] = None
    objects = depset(objects.keys())

    # q, not r, which takes two objects of one name for one; D: no times, so that the same objects
    # make the same archive.
    archive = ctx.actions.declare_file("lib%s.a" % ctx.attr.library)
    arguments = ctx.actions.args()
    arguments.add("qcsD", archive)
    arguments.add_all(objects)
    ctx.actions.run(
        executable = find_cpp_toolchain(ctx).ar_executable,
        arguments = [arguments],
        inputs = depset(transitive = [objects, find_cpp_toolchain(ctx).all_files]),
        outputs = [archive],
        mnemonic = "OwnArchive",
    )

    rpaths = ctx.actions.declare_file("rpaths")
    ctx.actions.write(rpaths, "".join([
        flag[len(_RPATH):] + "\n"
        for flag in depset(outside_flags).to_list()
        if flag.startswith(_RPATH)
    ]))
    headers = depset(transitive = [context.compilation_context.headers for context in contexts])
    public_headers = depset([
        h
        for h in headers.to_list()
        if h.is_source and h.owner.workspace_name == ctx.label.workspace_name and
           h.owner.package == ctx.attr.header_package
    ])

    # The libraries by their paths, not as libraries: Bazel adds the folder of each to the RUNPATH,
    # which says nothing outside of its output tree.
    outside = cc_common.create_linker_input(
        owner = ctx.label,
        user_link_flags = depset([f.path for f in outside_files] + outside_flags),
        additional_inputs = depset(outside_files.keys()),
    )
    files = depset([archive, rpaths], transitive = [public_headers])
    return [
        CcInfo(linking_context = cc_common.create_linking_context(linker_inputs = depset([outside]))),
        DefaultInfo(files = files, runfiles = ctx.runfiles(transitive_files = files)),
        OutputGroupInfo(objects = objects),
    ]

# The objects of `deps` in this repository as an archive and as the output group `objects`, the
# public headers among theirs, and, to link against, the libraries of other repositories.
own_libraries = rule(
    implementation = _own_libraries_impl,
    attrs = {
        "deps": attr.label_list(providers = [CcInfo]),
        "header_package": attr.string(mandatory = True),
        "library": attr.string(mandatory = True),
        "_cc_toolchain": attr.label(default = Label("@bazel_tools//tools/cpp:current_cc_toolchain")),
    },
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
