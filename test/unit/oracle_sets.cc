#include "unit/oracle_sets.hpp"

#include <algorithm>
#include <functional>
#include <map>

namespace loyalty::oracle {

namespace {

// What is best first: units got, units bought, the earliest got, the earliest bought.
struct Filled {
    SetCost got = 0, bought = 0;
    std::vector<std::int64_t> got_of, bought_of;  // by group, from some group on

    bool better_than(const Filled& other) const {
        if (got != other.got) return got < other.got;
        if (bought != other.bought) return bought > other.bought;
        if (got_of != other.got_of) return got_of > other.got_of;
        return bought_of > other.bought_of;
    }
};

class Filling {
public:
    Filling(const std::vector<SetGroup>& groups, const std::vector<SetSlots>& parts, bool dearest)
        : groups_(groups), parts_(parts), dearest_(dearest) {}

    // The best way to fill what is left of each part from the groups from `group` on.
    const std::optional<Filled>& best(std::size_t group, const std::vector<std::int64_t>& left) {
        const auto known = known_.find({group, left});
        if (known != known_.end()) return known->second;
        std::optional<Filled> result;
        if (group == groups_.size()) {
            if (std::all_of(left.begin(), left.end(), [](auto count) { return count == 0; })) result = Filled{};
        } else {
            spread(group, 0, groups_[group].count, left, 0, 0, result);
        }
        return known_[{group, left}] = std::move(result);
    }

private:
    // All ways to give the units of a group to parts.
    void spread(std::size_t group, std::size_t part, std::int64_t units, std::vector<std::int64_t> left,
                std::int64_t got, std::int64_t bought, std::optional<Filled>& result) {
        if (part == parts_.size()) {
            std::optional<Filled> filled = best(group + 1, left);
            if (!filled) return;
            filled->got += (dearest_ ? -1 : 1) * got * groups_[group].price;
            filled->bought += bought * groups_[group].price;
            filled->got_of.insert(filled->got_of.begin(), got);
            filled->bought_of.insert(filled->bought_of.begin(), bought);
            if (!result || filled->better_than(*result)) result = std::move(filled);
            return;
        }
        const bool fits = groups_[group].fits.contains(part);
        for (std::int64_t here = 0; here <= (fits ? std::min(units, left[part]) : 0); ++here) {
            auto rest = left;
            rest[part] -= here;
            const bool gets = parts_[part].gets;
            spread(group, part + 1, units - here, rest, got + (gets ? here : 0), bought + (gets ? 0 : here), result);
        }
    }

    const std::vector<SetGroup>& groups_;
    const std::vector<SetSlots>& parts_;
    bool dearest_;
    std::map<std::pair<std::size_t, std::vector<std::int64_t>>, std::optional<Filled>> known_;
};

}  // namespace

std::optional<SetFilling> fill_sets(const std::vector<SetGroup>& groups, const std::vector<SetSlots>& parts,
                                    bool dearest, std::int64_t times) {
    std::vector<std::int64_t> left;
    for (const auto& part : parts) left.push_back(part.count * times);
    const auto filled = Filling(groups, parts, dearest).best(0, left);
    if (!filled) return std::nullopt;
    return SetFilling{filled->got_of, filled->bought_of};
}

}  // namespace loyalty::oracle
