#include "core/explain/refusal.hpp"

#include "core/calculate/benefit.hpp"
#include "core/calculate/redeem.hpp"
#include "core/explain/near_miss.hpp"

#include <algorithm>

namespace loyalty {

namespace {

constexpr std::string_view weekday_names[] = {"",         "Monday", "Tuesday",  "Wednesday",
                                              "Thursday", "Friday", "Saturday", "Sunday"};

std::string join(const std::vector<std::string>& texts) {
    std::string all;
    for (const auto& text : texts) all += (all.empty() ? "" : ", ") + text;
    return all;
}

template <class List, class Name>
std::string join_names(const std::vector<Index>& indexes, const List& list, const Name& name_of) {
    std::vector<std::string> names;
    for (const Index index : indexes) names.push_back(name_of(list[index]));
    return join(names);
}

std::string segment_names(const std::vector<Index>& indexes, const std::vector<Segment>& segments) {
    return join_names(indexes, segments, [](const Segment& segment) { return segment.id; });
}

template <std::size_t size>
std::string numbers_in(const std::bitset<size>& set) {
    std::vector<std::string> numbers;
    for (std::size_t i = 1; i < size; i++) {
        if (set[i]) numbers.push_back(std::to_string(i));
    }
    return join(numbers);
}

std::string weekdays_in(const std::bitset<8>& set) {
    std::vector<std::string> names;
    for (std::size_t i = 1; i < 8; i++) {
        if (set[i]) names.emplace_back(weekday_names[i]);
    }
    return join(names);
}

class Particulars {
public:
    Particulars(const Program& program, const Promotion& promotion, const Order& order, const NodeTrace& trace)
        : program_(program), promotion_(promotion), order_(order), trace_(trace) {}

    std::string of(Reason reason) const {
        switch (reason) {
            case Reason::not_in_audience:
                return order_.buyer.kind == BuyerKind::guest ? "the buyer is a guest" : "the buyer is anonymous";
            case Reason::not_in_segments:
                return segment_names(promotion_.audience_segments, program_.profile_segments);
            case Reason::in_excluded_segment:
                return segment_names(met(promotion_.audience_segments, order_.buyer.segments),
                                     program_.profile_segments);
            case Reason::tier_not_held:
                return tiers();
            case Reason::not_started:
                return order_time() + ", it starts at " + promotion_.starts_at->to_string();
            case Reason::out_of_date:
                return order_time() + ", it ended at " + promotion_.ends_at->to_string();
            case Reason::not_scheduled:
                return order_time() + ", it is available " + schedule();
            case Reason::no_promo_code:
                return promo_code();
            case Reason::other_channel:
                return channel();
            case Reason::other_region:
                return (order_.region.empty() ? "the order has none" : "the order's is " + order_.region) +
                       ", it is for " + join(promotion_.regions);
            case Reason::limit_reached:
                return uses();
            case Reason::other_order:
                return segments(promotion_.order_mode, promotion_.order_segments, Level::order);
            case Reason::order_too_small:
                return too_small();
            case Reason::no_matching_line:
            case Reason::order_does_not_match:
                return condition();
            case Reason::lines_too_small:
                return lines();
            case Reason::set_incomplete:
            case Reason::below_first_step:
                return step();
            case Reason::point_type_inactive:
                return point_type().id;
            case Reason::points_not_requested:
                return point_type().id + ", the active balance is " + points(balance().active);
            case Reason::no_points_left:
                return no_points_left();
            case Reason::below_redeem_min:
                return below_redeem_min();
            case Reason::cut_by_limit:
                return cut_by_limit();
            default:
                return "";
        }
    }

private:
    static std::vector<Index> met(const std::vector<Index>& wanted, const std::vector<std::uint32_t>& given) {
        std::vector<Index> both;
        for (const Index one : wanted) {
            if (std::find(given.begin(), given.end(), one) != given.end()) both.push_back(one);
        }
        return both;
    }

    std::string tiers() const {
        const auto name = [](const std::string& tier) { return tier; };
        std::string text = join_names(promotion_.audience_tiers, program_.tiers, name);
        if (order_.buyer.tiers.empty()) return text;
        return text + "; of those that promotions name the buyer holds " +
               join_names(order_.buyer.tiers, program_.tiers, name);
    }

    std::string uses() const {
        const UsageLimits& limits = promotion_.usage_limits;
        const auto index = static_cast<Index>(&promotion_ - program_.promotions.data());
        switch (find_allowance(order_, index)->uses) {
            case Allowance::Uses::used_up:
                return "all " + std::to_string(*limits.max_uses);
            case Allowance::Uses::used_up_by_buyer:
                return "all " + std::to_string(*limits.max_uses_per_member) + " of the buyer" +
                       (limits.max_uses_per_member_every.empty() ? "" : " this " + limits.max_uses_per_member_every);
            default:
                return "they are counted per member, and the buyer has no profile";
        }
    }

    std::string order_time() const { return "the order's time is " + order_.time.to_string(); }

    std::string schedule() const {
        const Schedule& schedule = *promotion_.schedule;
        switch (schedule.judge(order_.time)) {
            case Unavailable::month:
                return "in months " + numbers_in(schedule.months);
            case Unavailable::day_of_month:
                return "on days " + numbers_in(schedule.days_of_month) + " of the month";
            case Unavailable::weekday:
                return "on " + weekdays_in(schedule.weekdays);
            case Unavailable::time_of_day:
                return "from " + show_time_of_day(*schedule.from_us) + " to " + show_time_of_day(*schedule.to_us);
            case Unavailable::every:
                return "every " + std::to_string(schedule.every) + " " +
                       std::string(period_names[schedule.every_unit]) + "s from " +
                       promotion_.starts_at->to_string();
            case Unavailable::none:
                break;
        }
        return "";
    }

    std::string promo_code() const {
        const std::string& pool = program_.pools[promotion_.pool];
        std::string text = pool;
        for (const auto& code : order_.promo_codes) {
            if (code.facts && code.facts->pool == pool)
                text.append("; code ").append(code.given).append(": ").append(promo_code_status_names[code.status]);
        }
        return text;
    }

    std::string channel() const {
        std::vector<std::string> places = promotion_.channels;
        places.insert(places.end(), promotion_.contact_points.begin(), promotion_.contact_points.end());
        std::string has = "the order has none";
        if (!order_.channel.empty()) has = "the order's is " + order_.channel;
        if (!order_.contact_point.empty()) has += ", " + order_.contact_point;
        return has + ", it is for " + join(places);
    }

    std::string cut_by_limit() const {
        std::string text;
        if (!trace_.asked.is_zero()) {
            append_decimal(text, trace_.asked.units, program_.currency_scale);
            text += " is cut by ";
        }
        return text + describe_cuts(program_, promotion_, trace_.cut_by);
    }

    const PointType& point_type() const { return program_.point_types[type_index()]; }
    std::uint32_t type_index() const { return program_.benefits[trace_.benefit].rule->point_type(); }
    const Balance& balance() const { return order_.buyer.balances[type_index()]; }

    std::string points(Points amount) const {
        std::string text;
        append_decimal(text, amount.units, point_type().scale);
        return text;
    }

    // The balance, the request, or what others have spent.
    std::string no_points_left() const {
        const std::string text = point_type().id + ", the active balance is " + points(balance().active);
        for (const auto& redeem : order_.redeem) {
            if (redeem.point_type == type_index() && redeem.amount)
                return text + ", the order asks to redeem " + points(*redeem.amount);
        }
        return text;
    }

    // What is spent at once, and what there is; if that is enough, the order comes to too little.
    std::string below_redeem_min() const {
        const PointType& type = point_type();
        const Points step = type.redeem_step;
        const Points least = std::max(type.redeem_min, step);
        const std::string text = type.id + ", at least " + points(least) + " are spent" +
                                 (step.is_zero() ? "" : ", in steps of " + points(step));
        const Points offered = points_offered(order_, type_index()).value_or(Points{});
        if (offered >= least) return text + "; the order takes fewer";
        return text + "; " + points(offered) + " could be: " + points(least - offered) + " more needed";
    }

    // Of the first condition, for the others would do as well.
    std::string condition() const {
        const Condition& condition = program_.conditions[promotion_.first_condition];
        return segments(condition.mode, condition.segments, condition.level);
    }

    std::string step() const {
        const auto found = find_near_miss(program_, order_, trace_.benefit);
        if (!found) {
            const bool earns = !program_.benefits[trace_.benefit].rule->credit_on().empty();
            return earns ? "others have lowered the price that it works on" : "each line counts by itself";
        }
        const auto& in = found->segments;
        return (in.empty() ? "" : "in " + segment_names(in, program_.segments) + ": ") + miss(*found);
    }

    std::string too_small() const {
        if (!trace_.counted) return miss(*find_near_miss(program_, promotion_.minimum, goods_of(order_)));
        return miss(miss_now(promotion_.minimum)) + ", at current prices";
    }

    // What was asked for at current prices.
    NearMiss miss_now(const Minimum& minimum) const {
        return {{{"goods"}, Comparison::Operator::at_least, *minimum.total},
                money(*trace_.counted),
                program_.currency_scale};
    }

    // What the lines of the first condition come to.
    std::string lines() const {
        if (trace_.counted) {
            const Index c = program_.benefits[trace_.benefit].condition;
            NearMiss now = miss_now(program_.conditions[c].minimum);
            now.condition = c;
            return miss(now) + ", at current prices";
        }
        const Condition& condition = program_.conditions[promotion_.first_condition];
        auto found = find_near_miss(program_, condition.minimum, goods_of(order_, matching_lines(condition, order_)));
        found->condition = promotion_.first_condition;
        return miss(*found);
    }

    std::string segments(ConditionMode mode, const std::vector<Index>& wanted, Level level) const {
        if (mode == ConditionMode::all) return "";
        const bool of_products = level == Level::product;
        const auto& known = of_products ? program_.segments : program_.order_segments;
        std::string text = (mode == ConditionMode::in ? "in " : "outside ") + segment_names(wanted, known);
        if (mode == ConditionMode::outside) return text;
        for (const Index segment : wanted) {
            const std::string miss = of_products ? nearest_line(known[segment]) : near_miss(known[segment]);
            if (!miss.empty()) text.append("; ").append(miss);
        }
        return text;
    }

    // How far an order is from a segment that asks for more, or for less, of something.
    std::string near_miss(const Segment& segment) const {
        const auto found = find_near_miss(program_, order_, comparisons_in(segment.predicate));
        return found ? miss(*found) : "";
    }

    Decimal money(Money amount) const { return Decimal::of(amount.units, program_.currency_scale); }

    // The line whose price is nearest to what a segment asks for.
    std::string nearest_line(const Segment& segment) const {
        for (const auto& comparison : comparisons_in(segment.predicate)) {
            if (comparison.path != Reads::Path{"price"}) continue;
            const auto threshold = comparison.threshold.units(program_.price_scale);
            if (!threshold) continue;
            const auto distance = [&](const Line& line) {
                return line.price.units < *threshold ? *threshold - line.price.units : line.price.units - *threshold;
            };
            const auto nearest =
                std::min_element(order_.lines.begin(), order_.lines.end(),
                                 [&](const Line& a, const Line& b) { return distance(a) < distance(b); });
            const Decimal price = Decimal::of(nearest->price.units, program_.price_scale);
            if (comparison.holds(price)) continue;
            return "line " + nearest->id + ": " + miss({comparison, price, program_.price_scale});
        }
        return "";
    }

    static std::string miss(const NearMiss& miss) {
        std::string shown = miss.value.to_string();
        if (const auto units = miss.value.units(miss.decimals)) {
            shown.clear();
            append_decimal(shown, *units, miss.decimals);
        }
        return miss.describe_figure() + " is " + shown + ", needed is " + miss.comparison.describe() + ": " +
               miss.comparison.describe_miss(miss.value, miss.decimals);
    }

    const Program& program_;
    const Promotion& promotion_;
    const Order& order_;
    const NodeTrace& trace_;
};

}  // namespace

std::string describe_particulars(const Program& program, const Promotion& promotion, const Order& order,
                                 const NodeTrace& trace) {
    return Particulars(program, promotion, order, trace).of(trace.reason);
}

std::string describe_cuts(const Program& program, const Promotion& promotion, const CutBy& cuts) {
    std::vector<std::string> names;
    const auto add_groups = [&](std::uint32_t depths, const std::string& limit) {
        for (Index index = promotion.parent; index != none; index = program.groups[index].parent) {
            const Group& group = program.groups[index];
            if (depths >> group.depth & 1) names.push_back(limit + (index == 0 ? "the main arbitration" : group.id));
        }
    };
    add_groups(cuts.max_discounts, "the maximum discount of ");
    add_groups(cuts.min_product_prices, "the minimum product price of ");
    if (cuts.min_price) names.emplace_back("the minimum price of the line");
    if (cuts.points) names.emplace_back("the points to spend");
    if (cuts.redeem_max) names.emplace_back("the most that may be paid with these points");
    if (cuts.redeem_step) names.emplace_back("the step by which these points are spent");
    if (cuts.budget) names.emplace_back("its budget");
    if (cuts.price) names.emplace_back("the price itself");
    return join(names);
}

}  // namespace loyalty
