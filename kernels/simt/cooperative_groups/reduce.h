// In CUDA reduce() is in a header of this name; here it is with the rest.
#pragma once

#include "../cooperative_groups.h"
