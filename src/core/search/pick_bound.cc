#include "core/search/pick_bound.hpp"

#include "core/money/amount.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>

namespace loyalty {

namespace {

constexpr std::int64_t one = PickBound::one;
constexpr std::int64_t without_end = INT64_MAX;
constexpr int128 unknown = int128{1} << 120;
constexpr std::int64_t sixteenth = one / 16;

std::int64_t product(std::int64_t a, std::int64_t b) { return static_cast<std::int64_t>((int128{a} * b) >> 30); }

// e^-x to about 1/one, rounded down: by sixteenths, and for the rest by 1 - y + y^2/2 - y^3/6, which is less than e^-y.
std::int64_t exp_down(std::int64_t x) {
    static constexpr std::int64_t of_a_sixteenth = 1'008'687'094;
    static const auto by_sixteenths = [] {
        std::array<std::int64_t, 320> table{one};
        for (std::size_t i = 1; i < table.size(); i++) table[i] = product(table[i - 1], of_a_sixteenth);
        return table;
    }();
    const auto whole = static_cast<std::size_t>(x / sixteenth);
    if (whole >= by_sixteenths.size()) return 0;
    const std::int64_t y = x % sixteenth, y2 = product(y, y);
    return product(by_sixteenths[whole], std::max<std::int64_t>(0, one - y + y2 / 2 - product(y2, y) / 6 - 3));
}

// -ln(1 - share), rounded up: 2 (z + z^3/3 + z^5/5 + …), where z = share / (2 - share).
std::int64_t weight_of(std::int64_t share) {
    const auto z = static_cast<std::int64_t>(int128{share} * one / (2 * one - share)) + 1;
    const std::int64_t z2 = product(z, z) + 1;
    std::int64_t sum = 0, terms = 0;
    for (std::int64_t power = z; power > 1; power = product(power, z2), terms++) sum += power / (2 * terms + 1) + 1;
    return 2 * (sum + terms + 64);
}

// ln number, rounded down: for the rest behind a power of two, m, it is at least 2 (m - 1) / (m + 1).
std::int64_t log_down(std::int64_t number) {
    if (number <= 1) return 0;
    const int power = std::bit_width(static_cast<std::uint64_t>(number)) - 1;
    const int128 whole = int128{1} << power;
    constexpr std::int64_t log_of_two = 744'261'117;
    return power * log_of_two + static_cast<std::int64_t>(2 * (number - whole) * one / (number + whole));
}

}  // namespace

void PickBound::add(Pick pick) {
    pick.weight = weight_of(pick.share);
    least_share_ = std::min(least_share_, pick.share);
    picks_.push_back(pick);
}

std::size_t PickBound::first(std::size_t next) const {
    const auto found = std::lower_bound(picks_.begin(), picks_.end(), next,
                                        [](const Pick& pick, std::size_t child) { return pick.child < child; });
    return static_cast<std::size_t>(found - picks_.begin());
}

std::int64_t PickBound::most(std::size_t next, const std::vector<Units>& units) {
    const std::size_t from = first(next), size = picks_.size() - from;
    if (size == 0) return 0;
    if (!look_at(units)) return without_end;
    rehearse(from);
    int128 sum = 0;
    for (const auto& place : places_)
        sum += int128{place.total} * (one - place.left - product(place.left, place.weight));
    const auto most_parts = static_cast<std::int64_t>(places_.size() + size);
    std::int64_t halves = 0;
    weight_before_ = 0;
    for (std::size_t i = from; i < picks_.size(); i++) {
        const Pick& pick = picks_[i];
        const int128 charged = charge(pick);
        const auto before = static_cast<std::int64_t>(i - from);
        sum += pick.cheapest ? std::min(charged, most_of_cheapest(pick, before)) : charged;
        weight_before_ += int128{pick.items} * pick.weight;
        halves += std::min(pick.items, most_parts) + 1;
    }
    return static_cast<std::int64_t>((sum + one - 1) / one) + (halves + 1) / 2;
}

bool PickBound::look_at(const std::vector<Units>& units) {
    places_.clear();
    most_units_ = 0;
    for (const auto& of : units) {
        const int128 price = int128{of.total} * one_unit.units / of.quantity;
        if (price > without_end / 4) return false;
        places_.push_back({of.total, of.quantity, std::uint64_t{1} << of.line});
        places_.back().price = static_cast<std::int64_t>(price);
        most_units_ = std::max(most_units_, of.quantity / one_unit.units);
    }
    return true;
}

void PickBound::rehearse(std::size_t first) {
    for (auto& place : places_) place.in_the_end = place.price;
    for (std::size_t i = first; i < picks_.size(); i++) {
        if (!picks_[i].cheapest) take(picks_[i], static_cast<std::uint32_t>(i + 1));
    }
    dearest_first_.resize(places_.size());
    std::iota(dearest_first_.begin(), dearest_first_.end(), 0U);
    for (auto& place : places_) place.in_the_end = product(place.price + 1, place.left) + 1;
    std::sort(dearest_first_.begin(), dearest_first_.end(), [this](std::uint32_t a, std::uint32_t b) {
        return std::pair{places_[b].in_the_end, a} < std::pair{places_[a].in_the_end, b};
    });
}

void PickBound::take(const Pick& pick, std::uint32_t number) {
    std::int64_t left = pick.items * one_unit.units;
    while (left > 0) {
        Place* best = nullptr;
        for (auto& place : places_) {
            if (!(pick.sees & place.line) || place.pick == number || place.in_the_end == 0) continue;
            if (!best || place.in_the_end > best->in_the_end) best = &place;
        }
        if (!best) return;
        const std::int64_t taken = std::min(left, best->quantity);
        left -= taken;
        best->pick = number;
        best->weight += static_cast<std::int64_t>(int128{pick.weight} * taken / best->quantity);
        best->left = exp_down(best->weight);
        best->in_the_end = product(best->price, best->left);
    }
}

int128 PickBound::charge(const Pick& pick) const {
    int128 left = int128{pick.items} * one_unit.units, sum = 0;
    for (const auto i : dearest_first_) {
        const Place& place = places_[i];
        if (!(pick.sees & place.line)) continue;
        const int128 taken = std::min<int128>(left, place.quantity);
        sum += place.in_the_end * taken;
        left -= taken;
        if (left == 0) break;
    }
    return (sum + one_unit.units - 1) / one_unit.units * pick.weight;
}

// Of the cheapest units that it can see as many as the weights before it could bring down to nothing may be gone. Which
// they are is not known, so it takes the dearest of those that may be gone and those that it finds in any case.
int128 PickBound::most_of_cheapest(const Pick& pick, std::int64_t before) const {
    int128 weight = weight_before_;
    std::int64_t needed = pick.items, of_dearest = 0;
    std::size_t dearest = places_.size();
    for (std::size_t i = places_.size(); i-- > 0 && needed > 0;) {
        const Place& place = places_[i];
        if (!(pick.sees & place.line)) continue;
        if (place.quantity % one_unit.units != 0) return unknown;
        const std::int64_t count = place.quantity / one_unit.units, cost = weight_to_nothing(place, before);
        const std::int64_t gone = cost == 0 ? count : static_cast<std::int64_t>(std::min<int128>(count, weight / cost));
        weight -= int128{cost} * gone;
        of_dearest = gone + std::min(needed, count - gone);
        needed -= std::min(needed, count - gone);
        dearest = i;
    }
    int128 sum = before / 2 + 1;  // splits have moved as much
    std::int64_t left = pick.items;
    for (std::size_t i = dearest; i < places_.size() && left > 0; i++) {
        if (!(pick.sees & places_[i].line)) continue;
        const std::int64_t taken = std::min(left, i == dearest ? of_dearest : places_[i].quantity / one_unit.units);
        sum += int128{taken} * (places_[i].price + 1);
        left -= taken;
    }
    return sum * pick.share;
}

// The least weight that leaves nothing of a unit. Rounding may spare some of it: what roundings before took too much
// shrinks with each share that is taken later.
std::int64_t PickBound::weight_to_nothing(const Place& place, std::int64_t before) const {
    if (mixed_ & place.line) return 0;
    const std::int64_t rounded = std::min(before, one / least_share_ + 1 + most_units_) + 1;
    return log_down(place.price / rounded);
}

}  // namespace loyalty
