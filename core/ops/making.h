// What the ops that make tensors share.
#pragma once

#include "core/ops/family.h"

namespace tg {

// The tensor on the device, and with the requires_grad, that were asked for.
Tensor ready(const Tensor& t, const Options& options);
void check_shape(const char* op, const Dims& shape);  // no negative size

// A device among the attributes.
inline Device device_at(const Attrs& attrs, int i) { return static_cast<Device>(attrs.integer(i)); }
inline Attr as_attr(Device device) { return Attr{static_cast<std::int64_t>(device)}; }

}  // namespace tg
