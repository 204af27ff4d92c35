// Which units make up sets, by trying all ways to fill them.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

namespace loyalty::oracle {

__extension__ using SetCost = __int128;

struct SetGroup {
    std::int64_t count = 0;
    SetCost price = 0;
    std::set<std::size_t> fits{};  // parts
};

struct SetSlots {
    std::int64_t count = 0;  // in one set
    bool gets = false;
};

struct SetFilling {
    std::vector<std::int64_t> got, bought;  // by group
};

// Nothing if so many sets cannot be formed.
std::optional<SetFilling> fill_sets(const std::vector<SetGroup>& groups, const std::vector<SetSlots>& parts,
                                    bool dearest, std::int64_t times);

}  // namespace loyalty::oracle
