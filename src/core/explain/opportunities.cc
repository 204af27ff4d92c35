#include "core/explain/opportunities.hpp"

#include "core/calculate/conditions.hpp"
#include "core/explain/near_miss.hpp"

#include <algorithm>
#include <tuple>

namespace loyalty {

namespace {

using Kind = Change::Kind;

// How many days ahead the next opening of a promotion is looked for.
constexpr int days_ahead = 400;

// What is missing, in so many whole units of a line.
int128 units_for(std::int64_t missing, UnitPrice each) {
    return (int128{missing} * each.parts + each.units - 1) / each.units;
}

class Search {
public:
    Search(const Program& program, const Order& order, const std::vector<HeldCode>& codes)
        : program_(program), order_(order), codes_(codes) {}

    std::vector<Change> run() {
        find_points();
        for (Index index = 0; index < program_.promotions.size(); index++) find_for(index);
        std::stable_sort(changes_.begin(), changes_.end(), [](const Change& a, const Change& b) {
            return std::tie(a.cost, a.kind) < std::tie(b.cost, b.kind);
        });
        return std::move(changes_);
    }

private:
    // The same change may serve several promotions.
    void add(Change change) {
        const auto same = [&](const Change& other) {
            return other.kind == change.kind && other.position == change.position &&
                   other.quantity == change.quantity && other.text == change.text;
        };
        if (std::none_of(changes_.begin(), changes_.end(), same)) changes_.push_back(std::move(change));
    }

    void add(Kind kind, Index promotion, std::string text) {
        Change change;
        change.kind = kind;
        change.promotion = promotion;
        change.text = std::move(text);
        add(std::move(change));
    }

    void find_points() {
        for (Index type = 0; type < order_.buyer.balances.size(); type++) {
            const Balance& balance = order_.buyer.balances[type];
            const bool asked = std::any_of(order_.redeem.begin(), order_.redeem.end(),
                                           [&](const Redeem& redeem) { return redeem.point_type == type; });
            if (asked || !balance.usable || balance.active.units <= 0) continue;
            if (program_.point_types[type].kind == PointKind::standard)
                add(Kind::redeem, none, program_.point_types[type].id);
        }
    }

    void find_for(Index index) {
        const Promotion& promotion = program_.promotions[index];
        switch (find_obstacle_for_any_goods(program_, index, order_)) {
            case Reason::none:
                find_more(index);
                break;
            case Reason::no_promo_code:
                for (const auto& held : codes_) {
                    if (held.pool == program_.pools[promotion.pool]) add(Kind::promo_code, index, held.code);
                }
                break;
            case Reason::other_channel:
                if (!promotion.contact_points.empty()) {
                    add(Kind::contact_point, index, promotion.contact_points.front());
                } else {
                    add(Kind::channel, index, promotion.channels.front());
                }
                break;
            case Reason::not_started:
            case Reason::not_scheduled:
                find_opening(index);
                break;
            default:
                break;
        }
    }

    void find_more(Index index) {
        for (const auto& goal : goals_of(program_, index)) {
            for (const auto& miss : misses_of(program_, order_, goal)) add_cheapest_line(index, miss);
        }
    }

    // More of the line of which the missing costs least; what is missing of a condition, of one of its own.
    void add_cheapest_line(Index promotion, const NearMiss& miss) {
        const bool counts_units = miss.comparison.path.back() == "items";
        const auto missing = miss.missing()->units(counts_units ? quantity_scale : program_.currency_scale);
        if (!missing || *missing <= 0) return;
        std::optional<Change> cheapest;
        for (const auto& line : order_.lines) {
            if (line.price.is_zero()) continue;
            if (!counts(program_, miss, line)) continue;
            const int128 wanted = units_for(*missing, counts_units ? UnitPrice{one_unit.units, 1} : line.price);
            if (wanted > most_units) continue;
            const auto units = static_cast<std::int64_t>(wanted);
            Change change;
            change.promotion = promotion;
            change.position = line.position;
            change.quantity = line.quantity + Quantity{units * one_unit.units};
            change.cost = times(line.price, Quantity{units * one_unit.units});
            if (!cheapest || change.cost < cheapest->cost) cheapest = std::move(change);
        }
        if (cheapest) add(std::move(*cheapest));
    }

    // The first moment after the order's at which dates and schedule let the promotion take part. Its offset is taken
    // to be the order's; the calculation of the changed order knows better.
    void find_opening(Index index) {
        const Promotion& promotion = program_.promotions[index];
        const std::int64_t offset = order_.time.local_us - order_.time.unix_us;
        LocalTime from = order_.time;
        if (promotion.starts_at && from < *promotion.starts_at) from = *promotion.starts_at;
        const bool has_window = promotion.schedule && promotion.schedule->from_us;
        for (int day = -1; day < days_ahead; day++) {
            LocalTime moment = from;
            if (day >= 0) {
                moment.local_us = (from.day() + day) * day_us + (has_window ? *promotion.schedule->from_us : 0);
                moment.unix_us = moment.local_us - offset;
                if (moment < from) continue;
            }
            if (promotion.ends_at && moment >= *promotion.ends_at) return;
            if (promotion.schedule && promotion.schedule->judge(moment) != Unavailable::none) continue;
            add(Kind::time, index, moment.to_string());
            return;
        }
    }

    static constexpr std::int64_t most_units = 1'000;

    const Program& program_;
    const Order& order_;
    const std::vector<HeldCode>& codes_;
    std::vector<Change> changes_;
};

}  // namespace

std::string_view to_string(Kind kind) {
    constexpr std::string_view names[] = {"promo_code", "redeem", "contact_point", "channel", "more", "time"};
    return names[static_cast<int>(kind)];
}

OrderDocument Change::apply(OrderDocument document) const {
    switch (kind) {
        case Kind::promo_code:
            document.promo_codes.push_back(text);
            break;
        case Kind::redeem:
            document.redeem.push_back({text, std::nullopt});
            break;
        case Kind::contact_point:
            document.contact_point = text;
            document.channel.reset();
            break;
        case Kind::channel:
            document.channel = text;
            document.contact_point.reset();
            break;
        case Kind::more:
            document.lines[position].quantity = Decimal::of(quantity.units, quantity_scale);
            break;
        case Kind::time:
            document.time = text;
            break;
    }
    return document;
}

std::vector<Change> find_changes(const Program& program, const Order& order, const std::vector<HeldCode>& codes) {
    return Search(program, order, codes).run();
}

int128 worth(const Program& program, const Calculation& calculation) {
    const LineResult all = calculation.all();
    int128 value = checked_product((all.discount + all.points_discount).units, program.value_denominator);
    for (std::size_t type = 0; type < calculation.points.size(); type++) {
        const Points earned = calculation.points[type].accrued + calculation.points[type].pending;
        value += checked_product(earned.units, program.point_types[type].value);
    }
    for (const auto& gift : calculation.gifts) value += checked_product(gift.worth.units, program.value_denominator);
    return value;
}

}  // namespace loyalty
