#include "core/bound/witness.hpp"

#include "core/bound/promises.hpp"
#include "core/calculate/benefit.hpp"

#include <algorithm>

namespace loyalty {

namespace {

// Of schedules a year of half hours is looked at.
constexpr std::int64_t half_hour_us = 1'800 * second_us;
constexpr int half_hours_of_year = 366 * 48;
constexpr std::size_t most_prices = 24, most_kept = 4;

// A moment of the world at which most of its scheduled promotions are available.
std::optional<LocalTime> choose_time(const Program& program, const World& world) {
    std::vector<const Schedule*> schedules;
    std::optional<LocalTime> first;
    for (const auto& promotion : program.promotions) {
        for (const auto& moment : {promotion.starts_at, promotion.ends_at}) {
            if (moment && (!first || *moment < *first)) first = moment;
        }
        if (promotion.schedule && can_take_part(promotion, world)) schedules.push_back(&*promotion.schedule);
    }
    std::optional<LocalTime> time = world.time;
    if (!time && first) time = LocalTime{first->unix_us - 400 * day_us, first->local_us - 400 * day_us};
    if (schedules.empty()) return time;
    if (!time) time = LocalTime{20'000 * day_us, 20'000 * day_us};
    std::optional<LocalTime> best;
    std::size_t most = 0;
    for (int i = 0; i < half_hours_of_year && most < schedules.size(); i++) {
        const LocalTime now{time->unix_us + i * half_hour_us, time->local_us + i * half_hour_us};
        const auto available =
            static_cast<std::size_t>(std::count_if(schedules.begin(), schedules.end(), [&](const Schedule* one) {
                return one->judge(now) == Unavailable::none;
            }));
        if (available <= most && best) continue;
        most = available;
        best = now;
    }
    return best;
}

class Search {
public:
    Search(const Program& program, const Bound& bound, std::size_t kinds_of_goods, std::size_t most,
           const std::function<std::optional<Outcome>(const Sketch&)>& try_out)
        : program_(program), bound_(bound), goods_(kinds_of_goods), left_(most), try_out_(try_out) {}

    std::optional<Witness> run() {
        const std::size_t most = left_;
        for (const auto& place : bound_.places) {
            if (is_done()) break;
            start_at(place, most / 2 / bound_.places.size());
        }
        for (const auto& entry : program_.benefits) {
            const auto reach = entry.rule->reach();
            has_sets_ = has_sets_ || (reach && reach->splits_all);
        }
        const auto prices = find_prices(bound_.places.front().goods);
        for (std::size_t next = 0; next < kept_.size() && !is_done(); next++) climb(prices, next);
        if (kept_.empty()) return std::nullopt;
        return kept_.front();
    }

private:
    // One line of each price, of one unit and of as much as the place asks for.
    void start_at(const BoundPlace& place, std::size_t most) {
        Sketch sketch;
        sketch.world = place.world;
        sketch.time = choose_time(program_, place.world);
        const std::size_t end = left_ - std::min(left_, most);
        for (const auto price : find_prices(place.goods)) {
            for (const auto quantity : quantities(price, place.goods)) {
                for (std::size_t goods = 0; goods < std::min<std::size_t>(goods_, 64) && left_ > end && !is_done();
                     goods++) {
                    sketch.lines = {{goods, price, quantity}};
                    look_at(sketch);
                }
            }
        }
    }

    std::vector<Quantity> quantities(Money price, std::int64_t goods) const {
        std::vector<Quantity> all;
        const int128 exact = (int128{goods} * one_unit.units + price.units - 1) / price.units;
        if (goods > 0 && exact <= 10'000 * one_unit.units) all.push_back({static_cast<std::int64_t>(exact)});
        if (goods <= price.units) all.push_back(one_unit);
        if (goods == 0 && price == large()) {
            // A floor for each unit is none for a small part of one.
            for (const std::int64_t part : {100, 1}) all.push_back({part});
        }
        return all;
    }

    Money large() const { return {static_cast<std::int64_t>(1'000'000 * power_of_ten(program_.currency_scale))}; }

    // What decides: amounts, and what they ask for; and large ones, of which rounding is a small part.
    std::vector<Money> find_prices(std::int64_t goods) const {
        std::vector<Money> prices;
        const auto add = [&](std::int64_t units) {
            const bool is_new = std::find(prices.begin(), prices.end(), Money{units}) == prices.end();
            if (units > 0 && units <= large().units && is_new && prices.size() < most_prices) prices.push_back({units});
        };
        if (goods > 0) add(goods);
        add(large().units);
        const Promises promises(program_);
        for (const auto& of_benefit : promises.of_benefit) {
            for (const auto& promise : of_benefit) {
                for (const auto& amount : {promise.of_unit, promise.of_order, promise.given}) {
                    if (!amount) continue;
                    add(*amount);
                    for (const auto& group : program_.groups) {
                        if (const auto& floor = group.limits.min_price_amount)
                            add(*amount + times(*floor, one_unit).units);
                    }
                }
            }
        }
        add(1);
        add(10);
        add(100);
        return prices;
    }

    bool is_done() const { return left_ == 0 || (!kept_.empty() && reaches(kept_.front().outcome)); }

    bool reaches(const Outcome& outcome) const {
        return bound_.at_most && outcome.taken >= share_of(outcome.base, *bound_.at_most) && is_fair(outcome);
    }
    // What rounding may add is little of it.
    bool is_fair(const Outcome& outcome) const {
        return outcome.base.units >= 100 * bound_.halves_of_line || bound_.at_most == whole_share;
    }

    // What rounding may have added does not count; all of it is never too much.
    Money counted(const Witness& witness) const {
        const Money taken = witness.outcome.taken;
        if (!bound_.at_most || (*bound_.at_most >= whole_share && taken >= witness.outcome.base)) return taken;
        const auto lines = static_cast<std::int64_t>(witness.sketch.lines.size());
        return {std::max<std::int64_t>(0, taken.units - (bound_.halves_of_line * lines + 1) / 2)};
    }

    // More of the goods; then of more goods.
    bool is_better(const Witness& a, const Witness& b) const {
        const int128 left = int128{counted(a).units} * b.outcome.base.units;
        const int128 right = int128{counted(b).units} * a.outcome.base.units;
        return left != right ? left > right : a.outcome.base > b.outcome.base;
    }

    bool look_at(const Sketch& sketch) {
        if (left_ == 0) return false;
        left_--;
        const auto outcome = try_out_(sketch);
        if (!outcome || outcome->base.units <= 0) return false;
        Witness found{sketch, *outcome};
        const auto place =
            std::find_if(kept_.begin(), kept_.end(), [&](const Witness& kept) { return is_better(found, kept); });
        const bool is_first = place == kept_.begin();
        kept_.insert(place, std::move(found));
        if (kept_.size() > most_kept) kept_.pop_back();
        return is_first;
    }

    // Change by change, as long as one makes the best better; `from` others of those kept are starts, too.
    void climb(const std::vector<Money>& prices, std::size_t from) {
        Sketch sketch = kept_[from].sketch;
        for (bool found = true; found && !is_done();) {
            found = false;
            for (const auto& other : changes(sketch, prices)) {
                if (is_done()) return;
                if (!look_at(other)) continue;
                sketch = other;
                found = true;
                break;
            }
        }
    }

    std::vector<Sketch> changes(const Sketch& sketch, const std::vector<Money>& prices) const {
        std::vector<Sketch> all;
        const auto add = [&](auto change) {
            Sketch other = sketch;
            change(other);
            all.push_back(std::move(other));
        };
        for (std::uint64_t pool = 0; pool < std::min<std::size_t>(program_.pools.size(), 64); pool++)
            add([&](Sketch& other) { other.withheld ^= std::uint64_t{1} << pool; });
        add([](Sketch& other) { other.redeems = !other.redeems; });
        for (std::size_t i = 0; i < sketch.lines.size(); i++) {
            const Money price = sketch.lines[i].price;
            for (const std::int64_t factor : {2, 3, 5, 10}) {
                add([&](Sketch& other) { other.lines[i].price = std::min(large(), Money{price.units * factor}); });
                add([&](Sketch& other) {
                    other.lines[i].price = Money{std::max<std::int64_t>(1, price.units / factor)};
                });
            }
            for (std::size_t goods = 0; goods < std::min<std::size_t>(goods_, 16); goods++)
                add([&](Sketch& other) { other.lines[i].goods = goods; });
            for (const auto exact : quantities(price, bound_.places.front().goods))
                add([&](Sketch& other) { other.lines[i].quantity = exact; });
            for (const auto quantity : {2, 3, 10})
                add([&](Sketch& other) { other.lines[i].quantity = Quantity{quantity * one_unit.units}; });
            add([&](Sketch& other) { other.lines[i].price = std::min(large(), price + prices.front()); });
        }
        if (sketch.lines.size() >= 4) return all;
        for (std::size_t goods = 0; goods < std::min<std::size_t>(goods_, 16); goods++) {
            for (const auto price : {sketch.lines.front().price, prices.front()})
                add([&](Sketch& other) { other.lines.push_back({goods, price, one_unit}); });
            // What of a set is bought, and costs next to nothing.
            if (has_sets_) add([&](Sketch& other) { other.lines.push_back({goods, {1}, {10 * one_unit.units}}); });
        }
        return all;
    }

    const Program& program_;
    const Bound& bound_;
    std::size_t goods_, left_;
    bool has_sets_ = false;
    const std::function<std::optional<Outcome>(const Sketch&)>& try_out_;
    std::vector<Witness> kept_;  // the best first
};

}  // namespace

Money share_of(Money base, Share share) {
    return {static_cast<std::int64_t>(int128{base.units} * std::min(share, whole_share * 1'000) / whole_share)};
}

std::optional<Witness> find_witness(const Program& program, const Bound& bound, std::size_t kinds_of_goods,
                                    std::size_t most,
                                    const std::function<std::optional<Outcome>(const Sketch&)>& try_out) {
    return Search(program, bound, kinds_of_goods, most, try_out).run();
}

}  // namespace loyalty
