// Which units a benefit with `max_items` works on.
#pragma once

#include "core/calculate/benefit.hpp"

#include <cstdint>
#include <optional>

namespace loyalty {

enum class Pick { line_order, cheapest, most_expensive };

struct ItemLimit {
    std::optional<std::int64_t> max_items;
    Pick pick = Pick::line_order;
    bool per_line = false;  // so many of each line

    // Reads `max_items`, `max_items_per` and `pick`.
    static ItemLimit read(Parameters& parameters);
};

// The parts of `view` that the limit leaves, in line order. Counts items over all parts: a last fraction of a quantity
// is one item; units at price 0 are skipped. cheapest and most_expensive go by the current unit price, ties to the
// earlier line; line_order by the position in the document. Per line, lines of one product at one price count as one.
std::vector<Part> pick(const View& view, const ItemLimit& limit);

// A part's first `quantity` units, worth their share of its total by largest remainder.
Part first_units(const Part& part, Quantity quantity);

}  // namespace loyalty
