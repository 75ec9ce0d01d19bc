// Einstein's sums: each dim has a letter, and the result sums, over all letters that it does not
// name, the product of the operands. Two operands at a time, from the left, by one matmul:
//
//     "bhqd,bhkd->bhqk"    batch b h, left q, summed d, right k:   (b h, q, d) @ (b h, d, k)
//
// Letters that only one of the two has, and that nobody needs later, are summed before.
#include <algorithm>
#include <map>

#include "core/ops/family.h"

namespace tg {
namespace {

// A letter; the dims of "..." are -1 for the last of them, -2 for the one before it, ...
using Letters = std::vector<int>;

struct Term {
    Tensor x;
    Letters letters;  // one a dim
};

bool holds(const Letters& letters, int letter) {
    return std::find(letters.begin(), letters.end(), letter) != letters.end();
}

std::string name_of_letter(int letter) {
    return letter > 0 ? "'" + std::string(1, static_cast<char>(letter)) + "'" : "of ...";
}

// "ij...k" -> letters, with `dots` numbers in place of the dots
Letters parsed(const std::string& subscripts, int dots) {
    Letters letters;
    bool dotted = false;
    for (std::size_t i = 0; i < subscripts.size(); ++i) {
        const char c = subscripts[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
            letters.push_back(c);
        } else if (subscripts.compare(i, 3, "...") == 0 && !dotted) {
            dotted = true;
            for (int d = dots; d > 0; --d) letters.push_back(-d);
            i += 2;
        } else {
            fail(ErrorKind::runtime, "einsum: '", subscripts,
                 "' may hold letters, and ... once; this is neither: '", c, "'");
        }
    }
    return letters;
}

struct Equation {
    std::vector<std::string> inputs;
    std::string output;
    bool arrow = false;
};

Equation split_equation(const std::string& equation) {
    Equation e;
    std::string text;
    for (char c : equation)
        if (c != ' ') text += c;
    const std::size_t arrow = text.find("->");
    e.arrow = arrow != std::string::npos;
    if (e.arrow) e.output = text.substr(arrow + 2);
    text = text.substr(0, arrow) + ",";
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = text.find(',', begin);
        e.inputs.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return e;
}

// The operand's letters, one for each of its dims.
Letters letters_of(const std::string& subscripts, const Tensor& x, std::size_t place) {
    const bool dotted = subscripts.find("...") != std::string::npos;
    const int named = static_cast<int>(subscripts.size()) - (dotted ? 3 : 0);
    const Letters letters = parsed(subscripts, std::max(x.dims() - named, 0));
    if (static_cast<int>(letters.size()) != x.dims())
        fail(ErrorKind::runtime, "einsum: '", subscripts, "' names ", named,
             dotted       ? " dims or more"
             : named == 1 ? " dim"
                          : " dims",
             ", but operand ", place, " ", text(x.shape()), " has ", x.dims());
    return letters;
}

// A letter that a term names twice stands for a diagonal.
Term without_repeats(Term t) {
    for (std::size_t i = 0; i < t.letters.size(); ++i) {
        const auto again = std::find(t.letters.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                     t.letters.end(), t.letters[i]);
        if (again == t.letters.end()) continue;
        const auto j = static_cast<std::size_t>(again - t.letters.begin());
        const int letter = t.letters[i];
        const std::int64_t n = t.x.shape()[static_cast<int>(i)];
        const std::int64_t m = t.x.shape()[static_cast<int>(j)];
        if (n != m && !is_unknown(n) && !is_unknown(m))
            fail(ErrorKind::runtime, "einsum: ", name_of_letter(letter), " is ", n, " and ", m,
                 " in one operand ", text(t.x.shape()));
        t.x = diagonal(t.x, 0, static_cast<std::int64_t>(i), static_cast<std::int64_t>(j));
        t.letters.erase(again);
        t.letters.erase(t.letters.begin() + static_cast<std::ptrdiff_t>(i));
        t.letters.push_back(letter);
        --i;
    }
    return t;
}

using Sizes = std::map<int, std::int64_t>;

Sizes sizes_of(const std::vector<Term>& terms) {
    Sizes sizes;
    for (const Term& t : terms)
        for (std::size_t d = 0; d < t.letters.size(); ++d) {
            const std::int64_t n = t.x.shape()[static_cast<int>(d)];
            const auto [at, is_new] = sizes.emplace(t.letters[d], n);
            if (is_new || at->second == n || n == 1 || (is_unknown(n) && at->second != 1)) continue;
            if (at->second != 1 && !is_unknown(at->second))
                fail(ErrorKind::runtime, "einsum: ", name_of_letter(t.letters[d]), " is ",
                     at->second, " in one operand and ", n, " in another, ", text(t.x.shape()));
            at->second = n;
        }
    return sizes;
}

// A size of 1 beside a larger one is broadcast: the letter goes from that term.
void drop_ones(Term& t, const Sizes& sizes) {
    for (int d = static_cast<int>(t.letters.size()) - 1; d >= 0; --d) {
        const auto at = t.letters.begin() + d;
        if (t.x.shape()[d] != 1 || sizes.at(*at) == 1) continue;
        t.x = squeeze(t.x, d);
        t.letters.erase(at);
    }
}

Term summed(Term t, const Letters& kept) {
    Dims gone;
    Letters left;
    for (std::size_t d = 0; d < t.letters.size(); ++d) {
        if (holds(kept, t.letters[d]))
            left.push_back(t.letters[d]);
        else
            gone.push_back(static_cast<std::int64_t>(d));
    }
    return gone.empty() ? t : Term{sum(t.x, gone), left};
}

Tensor ordered(const Term& t, const Letters& letters) {
    Dims order;
    bool moved = false;
    for (int letter : letters) {
        const auto at = std::find(t.letters.begin(), t.letters.end(), letter);
        moved = moved || at - t.letters.begin() != order.size();
        order.push_back(at - t.letters.begin());
    }
    return moved ? permute(t.x, order) : t.x;
}

Letters operator+(Letters a, const Letters& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

Dims shape_for(const Letters& letters, const Sizes& sizes) {
    Dims shape;
    for (int letter : letters) shape.push_back(sizes.at(letter));
    return shape;
}

// x's dims in three groups, of which the last two become one dim each.
Tensor grouped(const Term& t, const Letters& batch, const Letters& rows, const Letters& columns,
               const Sizes& sizes) {
    const Tensor x = ordered(t, batch + rows + columns);
    if (rows.size() == 1 && columns.size() == 1) return x;
    Dims shape = shape_for(batch, sizes);
    for (const Letters& group : {rows, columns}) {
        const Dims dims = shape_for(group, sizes);
        shape.push_back(any_unknown(dims) ? -1 : element_count(dims));
    }
    return reshape(x, shape);
}

// The product of two terms, summed over the letters that both have and that are not kept.
Term contracted(const Term& first, const Term& second, const Letters& kept, const Sizes& sizes) {
    Term a = summed(first, kept + second.letters);
    Term b = summed(second, kept + first.letters);
    a.x = cast(a.x, first.x.dtype());  // sums of integers are int64
    b.x = cast(b.x, second.x.dtype());
    Letters batch, inner, left, right;
    for (int letter : a.letters) {
        const bool both = holds(b.letters, letter);
        (!both ? left : holds(kept, letter) ? batch : inner).push_back(letter);
    }
    for (int letter : b.letters)
        if (!holds(a.letters, letter)) right.push_back(letter);
    const Letters letters = batch + left + right;
    if (inner.empty()) {
        Tensor x = ordered(a, batch + left);
        Tensor y = ordered(b, batch + right);
        for (std::size_t i = 0; i < right.size(); ++i) x = unsqueeze(x, -1);
        for (std::size_t i = 0; i < left.size(); ++i)
            y = unsqueeze(y, static_cast<std::int64_t>(batch.size()));
        return {mul(x, y), letters};
    }
    const Tensor product =
        matmul(grouped(a, batch, left, inner, sizes), grouped(b, batch, inner, right, sizes));
    if (left.size() == 1 && right.size() == 1) return {product, letters};
    return {reshape(product, shape_for(letters, sizes)), letters};
}

// What an equation without an arrow means: the dims of "...", and the letters named once.
Letters implied_output(const std::vector<Letters>& all, int dots) {
    Letters output;
    for (int d = dots; d > 0; --d) output.push_back(-d);
    std::map<int, int> count;
    for (const Letters& letters : all)
        for (int letter : letters) ++count[letter];
    for (const auto& [letter, n] : count)
        if (letter > 0 && n == 1) output.push_back(letter);
    return output;
}

void check_output(const Letters& output, const Sizes& sizes, const std::string& text) {
    for (std::size_t i = 0; i < output.size(); ++i) {
        if (!sizes.contains(output[i]))
            fail(ErrorKind::runtime, "einsum: the output '", text, "' names ",
                 name_of_letter(output[i]), ", which no operand has");
        if (std::count(output.begin(), output.end(), output[i]) > 1)
            fail(ErrorKind::runtime, "einsum: the output '", text, "' names ",
                 name_of_letter(output[i]), " twice");
    }
}

}  // namespace

Tensor einsum(const std::string& equation, const std::vector<Tensor>& operands, Where where) {
    const Here here(where, "einsum");
    const Equation e = split_equation(equation);
    if (operands.empty()) fail(ErrorKind::value, "einsum: there are no operands");
    if (e.inputs.size() != operands.size())
        fail(ErrorKind::runtime, "einsum: '", equation, "' is of ", e.inputs.size(),
             e.inputs.size() == 1 ? " operand" : " operands", ", and ", operands.size(),
             " are given");
    std::vector<Term> terms;
    std::vector<Letters> named;
    int dots = 0;
    for (std::size_t i = 0; i < operands.size(); ++i) {
        named.push_back(letters_of(e.inputs[i], operands[i], i));
        for (int letter : named[i]) dots = std::max(dots, -letter);
        terms.push_back(without_repeats({operands[i], named[i]}));
    }
    const Letters output = e.arrow ? parsed(e.output, dots) : implied_output(named, dots);
    const Sizes sizes = sizes_of(terms);
    check_output(output, sizes, e.output);
    for (Term& t : terms) drop_ones(t, sizes);
    Term result = terms[0];
    for (std::size_t i = 1; i < terms.size(); ++i) {
        Letters kept = output;
        for (std::size_t later = i + 1; later < terms.size(); ++later)
            kept = kept + terms[later].letters;
        result = contracted(result, terms[i], kept, sizes);
    }
    return ordered(summed(result, output), output);
}

}  // namespace tg
