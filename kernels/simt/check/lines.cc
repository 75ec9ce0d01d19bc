// The line table of a program: a small program itself, for a machine whose registers are an
// address, a file and a line, and whose opcodes move them and emit rows. [DWARF 4, 6.2.5]
#include <algorithm>
#include <cstring>

#include "module.h"

namespace simt::check {
namespace {

struct Reader {
    const char* at;
    const char* end;

    bool more() const { return at < end; }
    template <class T>
    T get() {
        T value{};
        if (static_cast<std::size_t>(end - at) < sizeof(T)) {
            at = end;
            return value;
        }
        std::memcpy(&value, at, sizeof(T));
        at += sizeof(T);
        return value;
    }
    // Numbers of 7 bits a byte, the lowest first; the top bit says that more follow.
    std::uint64_t unsigned_number() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; more(); shift += 7) {
            const auto byte = get<std::uint8_t>();
            if (shift < 64) value |= std::uint64_t{byte & 0x7fu} << shift;
            if (!(byte & 0x80)) break;
        }
        return value;
    }
    std::int64_t signed_number() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; more();) {
            const auto byte = get<std::uint8_t>();
            if (shift < 64) value |= std::uint64_t{byte & 0x7fu} << shift;
            shift += 7;
            if (byte & 0x80) continue;
            if ((byte & 0x40) && shift < 64) value |= ~std::uint64_t{0} << shift;
            break;
        }
        return static_cast<std::int64_t>(value);
    }
    std::string text() {
        const char* stop = std::find(at, end, '\0');
        std::string found(at, stop);
        at = stop < end ? stop + 1 : end;
        return found;
    }
};

// What a unit's header says about its opcodes.
struct Header {
    std::uint8_t instruction_bytes = 1, opcode_base = 13, line_range = 1;
    std::int8_t line_base = 0;
    std::vector<std::uint8_t> operands;  // of opcode i + 1
    std::uint32_t first_file = 0;        // the unit's file 1 in the table's files
};

Header read_header(Reader& unit, std::uint16_t version, LineTable& table) {
    Header header;
    const auto bytes = unit.get<std::uint32_t>();
    const char* program = unit.at + std::min<std::size_t>(bytes, unit.end - unit.at);
    header.instruction_bytes = unit.get<std::uint8_t>();
    if (version >= 4) unit.get<std::uint8_t>();  // operations of a VLIW instruction
    unit.get<std::uint8_t>();                    // is_stmt at first
    header.line_base = unit.get<std::int8_t>();
    header.line_range = std::max<std::uint8_t>(unit.get<std::uint8_t>(), 1);
    header.opcode_base = unit.get<std::uint8_t>();
    for (int i = 1; i < header.opcode_base; ++i)
        header.operands.push_back(unit.get<std::uint8_t>());
    std::vector<std::string> folders = {""};
    while (unit.more() && *unit.at != '\0') folders.push_back(unit.text());
    unit.get<char>();
    header.first_file = static_cast<std::uint32_t>(table.files.size());
    while (unit.more() && *unit.at != '\0') {
        std::string name = unit.text();
        const std::uint64_t folder = unit.unsigned_number();
        unit.unsigned_number();  // time
        unit.unsigned_number();  // size
        if (name[0] != '/' && folder < folders.size() && !folders[folder].empty())
            name = folders[folder] + "/" + name;
        table.files.push_back(std::move(name));
    }
    unit.at = program;
    return header;
}

struct Registers {
    Address address = 0;
    std::uint64_t file = 1;
    std::int64_t line = 1;
};

void run_program(Reader& unit, const Header& header, Address bias, Address first_address,
                 LineTable& table) {
    Registers now;
    const auto emit = [&](bool end_of_sequence) {
        if (now.address < first_address) return;
        const auto file = static_cast<std::uint32_t>(header.first_file + now.file - 1);
        const auto line = static_cast<std::uint32_t>(end_of_sequence ? 0 : now.line);
        table.lines.push_back({now.address + bias, file, line});
    };
    while (unit.more()) {
        const auto opcode = unit.get<std::uint8_t>();
        if (opcode >= header.opcode_base) {
            const unsigned step = opcode - header.opcode_base;
            now.address += step / header.line_range * header.instruction_bytes;
            now.line += header.line_base + static_cast<int>(step % header.line_range);
            emit(false);
        } else if (opcode == 0) {  // extended: a length, then an opcode of its own
            const std::uint64_t length = unit.unsigned_number();
            const char* next = unit.at + std::min<std::uint64_t>(length, unit.end - unit.at);
            const auto extended = unit.get<std::uint8_t>();
            if (extended == 1) {
                emit(true);
                now = {};
            } else if (extended == 2) {
                now.address = unit.get<Address>();
            }
            unit.at = next;
        } else if (opcode == 1) {
            emit(false);
        } else if (opcode == 2) {
            now.address += unit.unsigned_number() * header.instruction_bytes;
        } else if (opcode == 3) {
            now.line += unit.signed_number();
        } else if (opcode == 4) {
            now.file = unit.unsigned_number();
        } else if (opcode == 8) {
            now.address +=
                (255u - header.opcode_base) / header.line_range * header.instruction_bytes;
        } else if (opcode == 9) {
            now.address += unit.get<std::uint16_t>();
        } else {
            for (int i = 0; i < header.operands[opcode - 1u]; ++i) unit.unsigned_number();
        }
    }
}

}  // namespace

LineTable read_lines(const char* begin, const char* end, Address bias, Address first_address) {
    LineTable table;
    Reader all{begin, end};
    while (all.more()) {
        const auto bytes = all.get<std::uint32_t>();
        Reader unit{all.at, all.at + std::min<std::size_t>(bytes, all.end - all.at)};
        all.at = unit.end;
        const auto version = unit.get<std::uint16_t>();
        if (bytes == 0xffffffffu) break;  // the 64-bit form, which no compiler of ours writes
        if (version < 2 || version > 4) continue;
        const Header header = read_header(unit, version, table);
        run_program(unit, header, bias, first_address, table);
    }
    // At one address an end comes before the next beginning, and of two rows the later counts.
    std::stable_sort(table.lines.begin(), table.lines.end(), [](const Line& a, const Line& b) {
        if (a.address != b.address) return a.address < b.address;
        return a.line == 0 && b.line != 0;
    });
    return table;
}

}  // namespace simt::check
