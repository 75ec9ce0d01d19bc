#include "tests/twins/twins.h"

namespace twins {

using namespace tg;

void image_cases() {
    const Dims image{2, 4, 7, 6};
    twin("Conv1d", [] { return layer(nn::Conv1d(4, 6, 3, {.padding = 1}), {2, 4, 7}); });
    twin("Conv2d", [&] { return layer(nn::Conv2d(4, 6, 3), image); });
    twin("Conv2d with all options", [&] {
        return layer(nn::Conv2d(4, 6, {3, 2},
                                {.stride = {2, 1},
                                 .padding = {1, 0},
                                 .dilation = 2,
                                 .groups = 2,
                                 .bias = false,
                                 .padding_mode = "reflect"}),
                     image);
    });
    twin("Conv2d, same", [&] {
        return layer(nn::Conv2d(4, 2, {3, 4}, {.padding = "same", .padding_mode = "circular"}),
                     image);
    });
    twin("ConvTranspose2d", [&] {
        return layer(
            nn::ConvTranspose2d(4, 6, 3,
                                {.stride = 2, .padding = 1, .output_padding = {1, 0}, .groups = 2}),
            image);
    });
    twin("ConvTranspose2d of a size", [&] {
        nn::ConvTranspose2d module(4, 2, 3, {.stride = 2});
        Outcome o;
        const Tensor x = random_leaf(image);
        add_gradients(o, module, {x}, {module(x, {16, 14})});
        return o;
    });
    twin("MaxPool2d", [&] { return layer(nn::MaxPool2d(2), image); });
    twin("MaxPool2d with all options", [&] {
        return layer(nn::MaxPool2d({3, 2}, {.stride = 2, .padding = 1, .ceil_mode = true}), image);
    });
    twin("MaxPool2d with indices", [&] {
        const auto [values, indices] = nn::MaxPool2d(3).with_indices(randn(image));
        return Outcome{"", {values, indices}};
    });
    twin("AvgPool2d", [&] {
        return layer(nn::AvgPool2d(3, {.stride = {2, 1}, .padding = 1, .count_include_pad = false}),
                     image);
    });
    twin("AdaptiveAvgPool2d", [&] { return layer(nn::AdaptiveAvgPool2d({3, 2}), image); });
    twin("AdaptiveMaxPool2d", [&] { return layer(nn::AdaptiveMaxPool2d(2), image); });
    twin("ZeroPad2d", [&] { return layer(nn::ZeroPad2d({1, 0, 2, 1}), image); });
}

}  // namespace twins
