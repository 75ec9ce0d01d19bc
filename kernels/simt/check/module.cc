// Finding the loaded modules (dl_iterate_phdr), and reading the two sections of an ELF file that
// matter here: .symtab and .debug_line.
#include "module.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <utility>

#ifdef __linux__
#include <elf.h>
#include <link.h>
#endif

namespace simt::check {
namespace {

#ifdef __linux__

// `bytes` at `offset` of a file in memory, as T; null if they are not there.
template <class T>
const T* part(const std::string& file, std::uint64_t offset, std::uint64_t count = 1) {
    if (offset > file.size() || count > (file.size() - offset) / sizeof(T)) return nullptr;
    return reinterpret_cast<const T*>(file.data() + offset);
}

struct Sections {
    const std::string& file;
    const ElfW(Ehdr) * header;

    explicit Sections(const std::string& bytes) : file(bytes), header(part<ElfW(Ehdr)>(bytes, 0)) {
        if (header && std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) header = nullptr;
    }
    const ElfW(Shdr) * at(unsigned i) const {
        return part<ElfW(Shdr)>(file, header->e_shoff + std::uint64_t{i} * sizeof(ElfW(Shdr)));
    }
    // Null if there is none, or it is compressed.
    const ElfW(Shdr) * named(const char* name) const {
        const auto* names = at(header->e_shstrndx);
        for (unsigned i = 0; names && i < header->e_shnum; ++i) {
            const auto* section = at(i);
            const auto* its =
                section ? part<char>(file, names->sh_offset + section->sh_name) : nullptr;
            if (its && std::strcmp(its, name) == 0)
                return section->sh_flags & SHF_COMPRESSED ? nullptr : section;
        }
        return nullptr;
    }
};

std::vector<Symbol> read_symbols(const Sections& sections, Address bias) {
    std::vector<Symbol> symbols;
    const auto* table = sections.named(".symtab");
    const auto* names = table ? sections.at(table->sh_link) : nullptr;
    if (!names) return symbols;
    const std::uint64_t count = table->sh_size / sizeof(ElfW(Sym));
    const auto* all = part<ElfW(Sym)>(sections.file, table->sh_offset, count);
    for (std::uint64_t i = 0; all && i < count; ++i) {
        const unsigned type = all[i].st_info & 0xfu;
        if ((type != STT_OBJECT && type != STT_FUNC) || all[i].st_shndx == SHN_UNDEF) continue;
        const auto* name = part<char>(sections.file, names->sh_offset + all[i].st_name);
        const Address begin = all[i].st_value + bias;
        if (name && all[i].st_size > 0) symbols.push_back({begin, begin + all[i].st_size, name});
    }
    std::sort(symbols.begin(), symbols.end(),
              [](const Symbol& a, const Symbol& b) { return a.begin < b.begin; });
    return symbols;
}

std::vector<Module> loaded_modules() {
    std::vector<Module> modules;
    const auto add = [](dl_phdr_info* info, std::size_t, void* to) {
        Module module;
        module.file = info->dlpi_name[0] ? info->dlpi_name : "/proc/self/exe";
        module.bias = info->dlpi_addr;
        for (unsigned i = 0; i < info->dlpi_phnum; ++i) {
            const auto& header = info->dlpi_phdr[i];
            const Address begin = module.bias + header.p_vaddr;
            const Module::Segment its = {begin, begin + header.p_memsz,
                                         (header.p_flags & PF_W) != 0};
            if (header.p_type == PT_LOAD) module.segments.push_back(its);
            // Constants that hold addresses, to be written while the program is loaded.
            if (header.p_type == PT_GNU_RELRO)
                module.segments.insert(module.segments.begin(), {its.begin, its.end, false});
        }
        static_cast<std::vector<Module>*>(to)->push_back(std::move(module));
        return 0;
    };
    dl_iterate_phdr(add, &modules);
    return modules;
}

#else

std::vector<Module> loaded_modules() { return {}; }

#endif

// The standard library, and what stands for CUDA's own.
bool of_the_system(const std::string& file) {
    const bool header = file.size() > 2 && file.compare(file.size() - 2, 2, ".h") == 0;
    return file.rfind("/usr/", 0) == 0 ||
           (header && ("/" + file).find("/simt/") != std::string::npos);
}

std::string without_folder(const std::string& file) {
    return file.substr(file.find_last_of('/') + 1);
}

std::string hexadecimal(Address number) {
    std::string digits;
    for (; digits.empty() || number; number /= 16) digits += "0123456789abcdef"[number % 16];
    return "0x" + std::string(digits.rbegin(), digits.rend());
}

std::string demangled(const std::string& mangled) {
    if (mangled.rfind("_Z", 0) != 0) return mangled;  // which may read as a type: i is int
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> text(
        abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status), std::free);
    return text ? text.get() : mangled;
}

}  // namespace

void Module::read() {
#ifdef __linux__
    std::ifstream stream(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    const Sections sections(bytes);
    if (!sections.header) return;
    symbols_ = read_symbols(sections, bias);
    const auto* lines = sections.named(".debug_line");
    const char* text = lines ? part<char>(bytes, lines->sh_offset, lines->sh_size) : nullptr;
    Address first = ~Address{0};
    for (const Segment& s : segments) first = std::min(first, s.begin - bias + 1);
    if (text) lines_ = read_lines(text, text + lines->sh_size, bias, first);
#endif
}

const Module::Segment* Module::segment(Address address) const {
    for (const Segment& s : segments)
        if (address >= s.begin && address < s.end) return &s;
    return nullptr;
}

const Symbol* Module::symbol(Address address) const {
    auto next = std::upper_bound(symbols_.begin(), symbols_.end(), address,
                                 [](Address a, const Symbol& s) { return a < s.begin; });
    if (next == symbols_.begin()) return nullptr;
    const Symbol& before = *std::prev(next);
    return address < before.end ? &before : nullptr;
}

const Symbol* Module::variable_near(Address address) const {
    const auto distance = [&](const Symbol& s) {
        return address < s.begin ? s.begin - address : address < s.end ? 0 : address - s.end;
    };
    constexpr Address far = 4096;
    const Symbol* nearest = nullptr;
    auto s =
        std::lower_bound(symbols_.begin(), symbols_.end(), address - std::min(far * 16, address),
                         [](const Symbol& a, Address b) { return a.begin < b; });
    for (; s != symbols_.end() && s->begin <= address + far; ++s)
        if (segment(s->begin)->writable && is_kernels(s->name) && distance(*s) <= far &&
            (!nearest || distance(*s) < distance(*nearest)))
            nearest = &*s;
    return nearest;
}

std::size_t Module::shared_bytes(const Symbol& function) const {
    // What f() declares has a name that begins with f's. [Itanium C++ ABI, 5.1.6]
    const std::string& name = function.name;
    const std::string locals = name.rfind("_Z", 0) == 0
                                   ? "_ZZ" + name.substr(2) + "E"
                                   : "_ZZ" + std::to_string(name.size()) + name + "E";
    std::size_t bytes = 0;
    for (const Symbol& s : symbols_)
        if (s.name.rfind(locals, 0) == 0 && is_kernels(s.name) && segment(s.begin)->writable)
            bytes += s.end - s.begin;
    return bytes;
}

bool Module::is_of_the_system(Address code) const {
    auto row = std::upper_bound(lines_.lines.begin(), lines_.lines.end(), code,
                                [](Address a, const Line& l) { return a < l.address; });
    if (row == lines_.lines.begin()) return false;
    --row;
    return row->line != 0 && row->file < lines_.files.size() &&
           of_the_system(lines_.files[row->file]);
}

std::string Module::place(Address code) const {
    auto row = std::upper_bound(lines_.lines.begin(), lines_.lines.end(), code,
                                [](Address a, const Line& l) { return a < l.address; });
    // A read inside std::max belongs to the line that called it, whose code surrounds it.
    const Symbol* function = symbol(code);
    while (row != lines_.lines.begin()) {
        --row;
        if (row->line == 0 || row->file >= lines_.files.size()) break;
        if (function && row->address < function->begin) break;
        const std::string& name = lines_.files[row->file];
        if (!of_the_system(name)) return without_folder(name) + ":" + std::to_string(row->line);
    }
    return without_folder(file) + "+" + hexadecimal(code - bias);
}

const Module* module_of(Address address) {
    static std::vector<std::unique_ptr<Module>>& known = *new std::vector<std::unique_ptr<Module>>;
    for (const auto& module : known)
        if (module->segment(address)) return module.get();
    for (Module& module : loaded_modules()) {
        if (!module.segment(address)) continue;
        module.read();
        known.push_back(std::make_unique<Module>(std::move(module)));
        return known.back().get();
    }
    return nullptr;
}

std::string place_of(Address code) {
    const Module* module = module_of(code);
    return module ? module->place(code) : hexadecimal(code);
}

std::string short_name(const std::string& mangled) {
    std::string name = demangled(mangled);
    // The name ends at its arguments, unless something of it lies inside a function: f(int)::tile.
    name = name.substr(0, name.find(" [clone"));
    int depth = 0;
    std::size_t begin = 0, end = name.size();
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name[i] == '(' || name[i] == '<') {
            if (depth++ == 0) end = std::min(end, i);
        } else if (name[i] == ')' || name[i] == '>') {
            --depth;
        } else if (depth == 0 && (name[i] == ' ' || name.compare(i, 2, "::") == 0)) {
            begin = name[i] == ' ' ? i + 1 : i + 2;
            end = name.size();
        }
    }
    return name.substr(begin, end - begin);
}

bool is_kernels(const std::string& mangled) {
    for (const char* registers : {"threadIdx", "blockIdx", "blockDim", "gridDim"})
        if (mangled == registers) return false;
    if (mangled.find("simt_gap_") != std::string::npos) return false;
    if (mangled.rfind("_Z", 0) != 0)  // C's; the C runtime's are such as completed.0
        return mangled[0] != '_' && mangled.find('.') == std::string::npos;
    std::string outermost = mangled.substr(mangled.rfind("_ZGV", 0) == 0 ? 4 : 2);
    outermost.erase(0, outermost.find_first_not_of("ZNKL"));
    for (const char* others : {"St", "4simt", "9__gnu_cxx"})
        if (outermost.rfind(others, 0) == 0) return false;
    return true;
}

bool is_local_static(const std::string& mangled) { return mangled.rfind("_ZZ", 0) == 0; }

}  // namespace simt::check
