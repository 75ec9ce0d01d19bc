#include "core/autocast.h"

namespace tg {

Autocast& autocast() {
    static thread_local Autocast now;
    return now;
}

}  // namespace tg
