#include "report.h"

namespace simt::check {

void Reports::launch_begins() {
    sites_.clear();
    lines_.clear();
    found_.clear();
}

bool Reports::is_new(Kind kind, std::uint32_t site, std::uint32_t other, Sites& sites) {
    if (!sites_.insert({kind, site, other}).second) return false;
    std::string a = sites.place(site), b = sites.place(other);
    if (b < a) std::swap(a, b);
    return lines_.insert({kind, a, b}).second;
}

// Races first: a place that is read too early is often one that is read before it is written.
std::string Reports::errors() const {
    std::string text;
    std::size_t errors = 0;
    for (const bool uninitialised : {false, true})
        for (const Report& report : found_) {
            const bool is = report.text.rfind("uninitialised", 0) == 0;
            if (is != uninitialised || report.note || ++errors > most_quoted) continue;
            if (!text.empty()) text += '\n';
            text += report.text;
        }
    if (errors > most_quoted) text += "\nand " + std::to_string(errors - most_quoted) + " more";
    return text;
}

}  // namespace simt::check
