#include "core/explain/explain.hpp"

#include "core/calculate/benefit.hpp"
#include "core/calculate/work.hpp"
#include "core/explain/refusal.hpp"

#include <algorithm>

namespace loyalty {

namespace {


class Explanation {
public:
    Explanation(const Program& program, const Order& order, const Calculation& calculation, bool everything,
                std::function<void()> check_interrupts)
        : program_(program),
          order_(order),
          calculation_(calculation),
          everything_(everything),
          work_(std::move(check_interrupts), 0),
          operations_of_(program.promotions.size()),
          skips_of_(program.promotions.size()) {
        for (const auto& operation : calculation.operations) {
            work_.add(Step::part);
            operations_of_[promotion_of(operation.entry.benefit)].push_back(&operation);
        }
        for (const auto& skip : calculation.trace.skips) skips_of_[promotion_of(skip.benefit)].push_back(&skip);
    }

    std::vector<std::string> run() {
        if (program_.version == 0) line(0, "No version of the promotion tree was applied yet: base prices.");
        add_group(0, 0);
        if (left_out_ > 0) {
            line(0, "Left out: " + std::to_string(left_out_) +
                        (left_out_ == 1 ? " promotion that is a draft or inactive."
                                        : " promotions that are drafts or inactive."));
        }
        add_totals();
        return std::move(lines_);
    }

private:
    static constexpr int step = 4;

    void line(int indent, const std::string& text) {
        constexpr std::size_t steps_of_a_line = 10;
        work_.add(Step::part, steps_of_a_line);
        lines_.push_back(std::string(static_cast<std::size_t>(indent), ' ') + text);
    }

    Index promotion_of(Index benefit) const {
        return program_.conditions[program_.benefits[benefit].condition].promotion;
    }

    std::string money(Money amount) const {
        std::string text;
        append_decimal(text, amount.units, program_.currency_scale);
        return text;
    }

    std::string money(UnitPrice price) const {
        std::string text;
        append_decimal(text, price.units, program_.price_scale);
        return text;
    }

    std::string points(Points amount, std::uint32_t type) const {
        std::string text;
        append_decimal(text, amount.units, program_.point_types[type].scale);
        return text + " " + program_.point_types[type].id;
    }

    std::string prices(const NodeTrace& trace) const {
        if (!trace.evaluated) return "";
        return "  " + money(trace.before) + (trace.before == trace.after ? "" : " -> " + money(trace.after));
    }

    std::string limits(const Limits& limits) const {
        std::string text;
        const auto add = [&](std::string_view what, const std::optional<Fraction>& share, const auto& amount) {
            if (!share && !amount) return;
            text.append(text.empty() ? "Limits: " : ", ").append(what).append(" ");
            text.append(share ? percent(*share) : money(*amount));
        };
        add("maximum discount", limits.max_discount_share, limits.max_discount_amount);
        add("minimum product price", limits.min_price_share, limits.min_price_amount);
        return text;
    }

    static std::string percent(const Fraction& share) {
        constexpr int decimals = 6;
        const Decimal value =
            Decimal::of(scaled(100 * static_cast<std::int64_t>(power_of_ten(decimals)), share), decimals);
        return value.to_string() + " %";
    }

    void add_group(Index index, int indent) {
        const Group& group = program_.groups[index];
        const NodeTrace& trace = calculation_.trace.groups[index];
        std::string title = index == 0 ? "Main arbitration" : "->  Group " + group.id;
        title.append(" (").append(arbitration_names[group.arbitration]);
        title += how_combined(group, trace);
        if (trace.reason == Reason::none) {
            line(indent, title + ")" + prices(trace));
        } else {
            line(indent, title + ")  not applied: " + refusal(trace, "", contest(trace)));
        }
        const int below = indent + (index == 0 ? 2 : step + 2);
        if (const std::string text = limits(group.limits); !text.empty()) line(below, text);
        if (trace.evaluated && trace.unproven) line(below, unproven(*trace.unproven));
        for (std::size_t i = 0; i < group.children.size();) {
            const std::size_t alike = everything_ ? 0 : refused_alike(group.children, i);
            if (alike > most_alike) {
                for (std::size_t shown = 0; shown < shown_alike; shown++)
                    add_promotion(group.children[i++].index, below);
                const auto& trace = calculation_.trace.promotions[group.children[i].index];
                line(below, "->  " + std::to_string(alike - shown_alike) +
                                " promotions more  not applied: " + std::string(describe(trace.reason)));
                i += alike - shown_alike;
            } else if (const auto& child = group.children[i++]; child.is_group) {
                add_group(child.index, below);
            } else {
                add_promotion(child.index, below);
            }
        }
    }

    // Of promotions side by side that did not apply for one reason, long runs are folded.
    static constexpr std::size_t most_alike = 10, shown_alike = 3;

    template <class Children>
    std::size_t refused_alike(const Children& children, std::size_t first) const {
        if (children[first].is_group) return 0;
        const Reason reason = calculation_.trace.promotions[children[first].index].reason;
        if (reason == Reason::none || reason == Reason::draft || reason == Reason::inactive) return 0;
        std::size_t alike = 1;
        while (first + alike < children.size() && !children[first + alike].is_group &&
               calculation_.trace.promotions[children[first + alike].index].reason == reason)
            alike++;
        return alike;
    }

    static std::string_view how_combined(const Group& group, const NodeTrace& trace) {
        if (group.best == Best::single) return ", best single";
        if (group.best == Best::single_by_line) return ", best single by line";
        if (group.arbitration != Arbitration::max_benefit || !trace.evaluated) return "";
        return trace.summed ? ", by summation" : ", by consistent";
    }

    std::string unproven(const Unproven& search) const {
        std::string text = "Search ended at its limit: found " + money(search.worth) + ", ";
        return search.bound ? text + "no combination is worth more than " + money(*search.bound)
                            : text + "a better combination may exist";
    }

    void add_promotion(Index index, int indent) {
        const Promotion& promotion = program_.promotions[index];
        const NodeTrace& trace = calculation_.trace.promotions[index];
        if (!everything_ && (trace.reason == Reason::draft || trace.reason == Reason::inactive)) {
            left_out_++;
            return;
        }
        std::string title = "->  Promotion " + promotion.id;
        if (!promotion.name.empty()) title.append(" \"").append(one_line(promotion.name)).append("\"");
        title.append(" (").append(promotion_kind_names[promotion.kind]).append(")");
        if (trace.reason != Reason::none) {
            line(indent, title + "  not applied: " +
                             refusal(trace, describe_particulars(program_, promotion, order_, trace),
                                     contest(promotion, trace)));
        } else {
            line(indent, title + prices(trace));
            for (const auto* skip : skips_of_[index]) line(indent + step + 2, describe_skip(*skip));
        }
        for (const auto* operation : operations_of_[index]) line(indent + step + 2, describe_operation(*operation));
    }

    // What a promotion lost to, and by how much.
    std::string contest(const Promotion& promotion, const NodeTrace& trace) const {
        if (trace.reason != Reason::not_chosen || trace.contest) return contest(trace);
        Index group = promotion.parent;
        while (group != none && calculation_.trace.groups[group].reason == Reason::none) {
            group = program_.groups[group].parent;
        }
        return group == none ? "" : "without group " + program_.groups[group].id;
    }

    std::string contest(const NodeTrace& trace) const {
        if (trace.reason != Reason::not_chosen && trace.reason != Reason::taken) return "";
        std::string text;
        for (const auto& winner : trace.lost_to) {
            if (!text.empty()) text += " and ";
            text += winner.is_group ? program_.groups[winner.index].id : program_.promotions[winner.index].id;
        }
        if (text.empty()) text = "none";
        if (!trace.contest) return text;
        const auto& [own, theirs] = *trace.contest;
        text.append(": worth ").append(worth(theirs)).append("; alone this is worth ").append(worth(own)).append(", ");
        if (own == theirs) return text + "as much";
        return text + (own > theirs ? worth(own - theirs) + " more" : worth(theirs - own) + " less");
    }

    // A worth in money, rounded half away from zero.
    std::string worth(int128 worth) const {
        const int128 one = program_.value_denominator;
        const int128 units = (2 * worth + (worth < 0 ? -one : one)) / (2 * one);
        return money(Money{static_cast<std::int64_t>(units)});
    }

    static std::string refusal(const NodeTrace& trace, const std::string& particulars, const std::string& contest) {
        std::string text(describe(trace.reason));
        for (const auto* part : {&particulars, &contest}) {
            if (!part->empty()) text.append(" (").append(*part).append(")");
        }
        return text;
    }

    std::string describe_skip(const SkipTrace& skip) const {
        const Line& line = order_.lines[skip.skip.line];
        return "Line " + line.id + " " + line.product + ": " + std::string(program_.benefits[skip.benefit].type->name) +
               " not applied: " + std::string(describe(skip.skip.reason));
    }

    std::string describe_operation(const Operation& operation) const {
        const Entry& entry = operation.entry;
        const BenefitEntry& benefit = program_.benefits[entry.benefit];
        std::string text;
        switch (entry.target) {
            case Entry::Target::line:
                text = "Line " + order_.lines[entry.line].id + " " + order_.lines[entry.line].product;
                break;
            case Entry::Target::shipping:
                text = "Shipping";
                break;
            case Entry::Target::order:
                text = "Order";
                break;
        }
        text.append(": ").append(benefit.type->name);
        if (entry.kind == Entry::Kind::text) return text + " \"" + one_line(operation.text) + "\"";
        if (entry.kind == Entry::Kind::gift) return text + " " + gift(operation);
        if (entry.kind == Entry::Kind::promo_code) return text.append(" from pool ").append(benefit.rule->pool());
        if (program_.conditions[benefit.condition].level == Level::order) text += " of the order";
        if (entry.kind == Entry::Kind::accrual) {
            text.append(" +").append(points(entry.points, entry.point_type));
            if (operation.pending)
                text.append(", credited on ").append(program_.benefits[entry.like].rule->credit_on());
            if (!entry.points_cut.is_zero())
                text.append(", cut from ").append(points(entry.points + entry.points_cut, entry.point_type));
            return text;
        }
        if (entry.kind == Entry::Kind::deduction) {
            text.append(" -").append(points(entry.points, entry.point_type));
            if (!entry.points_cut.is_zero())
                text.append(", cut from ").append(points(entry.points + entry.points_cut, entry.point_type));
            if (entry.cut_by.any()) text += " by the points that there are";
            return text;
        }
        if (entry.sets > 0) text += entry.sets == 1 ? " (once)" : " (" + std::to_string(entry.sets) + " times)";
        if (entry.bought) return text + ", bought at its price";
        text.append(change(entry.applied));
        if (entry.kind == Entry::Kind::paid_by_points)
            text.append(" for ").append(points(operation.spent, entry.point_type));
        if (entry.applied < entry.asked) {
            const Promotion& promotion = program_.promotions[promotion_of(entry.benefit)];
            text.append(", cut from ").append(money(entry.asked));
            text.append(" by ").append(describe_cuts(program_, promotion, entry.cut_by));
            text.append(missing_points(entry));
        }
        return text;
    }

    // "2 mug, worth 20.00, for 2 sets"
    std::string gift(const Operation& operation) const {
        const Entry& entry = operation.entry;
        const auto product = *program_.benefits[entry.benefit].rule->gift();
        std::string text =
            Decimal::of(entry.given.units, quantity_scale).to_string() + " " + program_.reads.gifts[product];
        text.append(", worth ").append(money(entry.worth));
        if (entry.sets > 0)
            text.append(", for ").append(std::to_string(entry.sets)).append(entry.sets == 1 ? " set" : " sets");
        return text;
    }

    // Where nothing but too few points has cut a payment: how many more it would have taken.
    std::string missing_points(const Entry& entry) const {
        CutBy by_points;
        by_points.points = 1;
        if (entry.cut_by != by_points) return "";
        const Fraction& ratio = program_.point_types[entry.point_type].points_per_money;
        const Points missing{scaled((entry.asked - entry.applied).units, ratio, Rounding::up)};
        return ": " + points(missing, entry.point_type) + " short";
    }

    // A reduction with its sign: " -5.00"; a raise: " +0.40".
    std::string change(Money reduction) const {
        return reduction < Money{} ? " +" + money(Money{} - reduction) : " -" + money(reduction);
    }

    // A text as it fits into a line of the explanation.
    static std::string one_line(std::string text) {
        std::replace_if(
            text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
        return text;
    }

    void add_totals() {
        const auto& goods = calculation_.goods;
        line(0, "Goods: " + money(goods.base) + summary(goods));
        if (!calculation_.shipping.base.is_zero())
            line(0, "Shipping: " + money(calculation_.shipping.base) + summary(calculation_.shipping));
        line(0, "Total: " + money(calculation_.total) + " " + program_.currency);
        for (std::uint32_t type = 0; type < calculation_.points.size(); type++) add_points(type);
        if (!calculation_.optimal)
            line(0, "A search for the maximum benefit ended at its limit: a better combination may exist.");
    }

    std::string summary(const LineResult& result) const {
        std::string text;
        if (result.discount > Money{}) text += " - discount " + money(result.discount);
        if (result.discount < Money{}) text += " + raise " + money(Money{} - result.discount);
        if (!result.points_discount.is_zero()) text += " - points " + money(result.points_discount);
        return text.empty() ? text : text + " = " + money(result.total);
    }

    void add_points(std::uint32_t type) {
        const PointsResult& result = calculation_.points[type];
        std::string text;
        const auto add = [&](std::string_view what, Points amount) {
            if (amount.is_zero()) return;
            text.append(text.empty() ? " " : ", ").append(points(amount, type)).append(" ").append(what);
        };
        add("spent", result.spent);
        add("accrued", result.accrued);
        add("pending", result.pending);
        if (!text.empty()) line(0, "Points:" + text);
    }

    const Program& program_;
    const Order& order_;
    const Calculation& calculation_;
    const bool everything_;
    Work work_;
    std::size_t left_out_ = 0;
    std::vector<std::vector<const Operation*>> operations_of_;
    std::vector<std::vector<const SkipTrace*>> skips_of_;
    std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> explain(const Program& program, const Order& order, const Calculation& calculation,
                                 bool everything, std::function<void()> check_interrupts) {
    return Explanation(program, order, calculation, everything, std::move(check_interrupts)).run();
}

std::string_view describe(Reason reason) {
    switch (reason) {
        case Reason::none:
            return "applied";
        case Reason::draft:
            return "the promotion is a draft";
        case Reason::inactive:
            return "the promotion is inactive";
        case Reason::ended:
            return "the promotion has ended";
        case Reason::paused:
            return "the promotion is paused";
        case Reason::not_in_audience:
            return "the promotion is for members only";
        case Reason::not_in_segments:
            return "the buyer is in none of its segments";
        case Reason::in_excluded_segment:
            return "the buyer is in a segment that it excludes";
        case Reason::tier_not_held:
            return "the buyer holds none of its tiers";
        case Reason::only_guests:
            return "the promotion is for guests only";
        case Reason::other_order:
            return "it is for other orders";
        case Reason::order_too_small:
            return "the order is too small for it";
        case Reason::not_started:
            return "it has not started";
        case Reason::out_of_date:
            return "it is past its end";
        case Reason::not_scheduled:
            return "it is not available at this time";
        case Reason::no_promo_code:
            return "the order has no usable promo code of its pool";
        case Reason::other_channel:
            return "it is for other channels or contact points";
        case Reason::other_region:
            return "it is for other regions";
        case Reason::limit_reached:
            return "its uses are used up";
        case Reason::no_conditions:
            return "it has no conditions";
        case Reason::no_matching_line:
            return "no line fulfils its conditions";
        case Reason::order_does_not_match:
            return "the order does not fulfil its conditions";
        case Reason::lines_too_small:
            return "the lines that fulfil its conditions come to too little";
        case Reason::not_a_member:
            return "only members earn and spend points";
        case Reason::point_type_inactive:
            return "the point type is not active";
        case Reason::points_not_requested:
            return "the order does not ask to redeem these points";
        case Reason::no_points_left:
            return "no points are left to pay with";
        case Reason::below_redeem_min:
            return "fewer points than are spent at once";
        case Reason::taken:
            return "an earlier promotion took its place";
        case Reason::not_chosen:
            return "another combination is better";
        case Reason::below_first_step:
            return "it begins with more";
        case Reason::set_incomplete:
            return "a set of it is not complete";
        case Reason::reduced_before:
            return "all that it is for was reduced before";
        case Reason::field_missing:
            return "the custom field is missing, negative or no number";
        case Reason::no_partner_terms:
            return "no matching line is a product of these partners with terms in force";
        case Reason::no_profile:
            return "only who has a profile is given a promo code";
        case Reason::nothing_earned:
            return "no points were earned before it that it could multiply";
        case Reason::nothing_to_reduce:
            return "there is nothing left to reduce";
        case Reason::cut_by_limit:
            return "a limit refuses all of it";
    }
    return "";
}

}  // namespace loyalty
