// Comparisons of one number, as in $.total >= 100 or $.fields.guests >= 8: of those a near miss can be told.
#pragma once

#include "core/money/decimal.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace loyalty {

struct Comparison {
    enum class Operator { equal, less, at_most, greater, at_least };

    std::vector<std::string> path;  // of a member of the document, as whoever wrote the predicate named it
    Operator op = Operator::equal;
    Decimal threshold;

    bool holds(const Decimal& value) const;
    // By how much `value` misses: "12.40 more", "over 1 less". Money shows all its decimals.
    std::string describe_miss(const Decimal& value, int decimals) const;
    // "fields.guests".
    std::string describe_path() const;
    // ">= 100".
    std::string describe() const;
};

// Those of the parts of a predicate, joined by &&, that compare a number of the document with a constant. The predicate
// is an SQL/JSON path in its canonical form.
std::vector<Comparison> comparisons_in(std::string_view predicate);

}  // namespace loyalty
