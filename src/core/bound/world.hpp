// Who orders, when and where: what decides, besides the goods, which promotions can meet in one order. Two promotions
// whose dates do not overlap never do, nor do one for members and one for guests.
#pragma once

#include "core/program/program.hpp"

#include <optional>
#include <string>
#include <vector>

namespace loyalty {

struct World {
    bool member = false;
    bool at_any_time = false;                    // dates are left out of account …
    std::optional<LocalTime> time;               // … or this is the moment; nothing: before all that begin or end
    std::optional<std::string> channel, region;  // empty: none; nothing: left out of account
};

// Worlds that stand for all: what can meet in any, meets in one of these. At most about `most`; past that, what there
// is is left out of account step by step, and more seems to meet than can.
std::vector<World> all_worlds(const Program& program, std::size_t most);

// Whether a promotion can take part there.
bool can_take_part(const Promotion& promotion, const World& world);
// Whether it takes part there in every order, whatever the buyer does.
bool must_take_part(const Promotion& promotion, const World& world);

}  // namespace loyalty
