// The module tapegraph._C, put together from the files beside this one. The package in
// python/tapegraph is what users import.
#include "python/bind.h"

PYBIND11_MODULE(_C, m) {
    using namespace tg::python;
    m.doc() = "The compiled part of tapegraph.";
    bind_errors(m);
    bind_interrupts(m);
    bind_lines(m);
    bind_types(m);
    bind_shapes(m);
    bind_functions(m);
    bind_tensor(m);
    bind_elementwise(m);
    bind_reductions(m);
    bind_layout(m);
    bind_windows(m);
    bind_resize(m);
    bind_criteria(m);
    bind_arrange(m);
    bind_products(m);
    bind_linalg(m);
    bind_matrices(m);
    bind_blends(m);
    bind_indexing(m);
    bind_trigonometry(m);
    bind_statistics(m);
    bind_stacks(m);
    bind_search(m);
    bind_in_place(m);
    bind_written(m);
    bind_creation(m);
    bind_generator(m);
    bind_sampling(m);
    bind_numpy(m);
    bind_autograd(m);
    bind_hooks(m);
    bind_function(m);
    bind_program(m);
    bind_graph(m);
    bind_compile(m);
    bind_vmap(m);
    bind_system(m);
    bind_optim(m);
    bind_cuda(m);
}
