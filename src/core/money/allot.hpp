// Allotment: an amount divided over weights by largest remainder, so that the shares always add up to it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace loyalty {

// Shares of `amount` in proportion to `weights` (none negative), in the order of the weights. Each share is the exact
// one rounded down; the units left over go to the largest remainders, of equal ones to the earlier. Where all weights
// are 0 the first takes everything. Example: 200 over 1, 1, 1 gives 67, 67, 66.
std::vector<std::int64_t> allot(std::int64_t amount, std::span<const std::int64_t> weights);

// Shares of `amount` in proportion to `weights`, none above its room: what does not fit is allotted again over those
// that still have room, until all of it is placed or no room is left. A share that has room has a weight.
std::vector<std::int64_t> fill(std::int64_t amount, std::span<const std::int64_t> weights,
                               std::span<const std::int64_t> rooms);

}  // namespace loyalty
