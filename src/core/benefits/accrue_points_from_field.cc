// accrue_points_from_field: the member earns the number of points that a custom field of the product holds, or a number
// of points for each full sum of money.
//
//     {"point_type": "bonus", "field": "bonus"}                     that many for each unit
//     {"point_type": "bonus", "points": 200, "per_amount": 1500}    200 for each full 1500.00 spent on the matching
//                                                                   lines together, attributed to them by allotment
//     …, "credit_on": "delivered", "delay": "14 days"               as for accrue_points
#include "core/benefits/benefits.hpp"

namespace loyalty {

namespace {

class AccruePointsFromField final : public Earning {
public:
    AccruePointsFromField(Parameters& parameters, const BenefitSetting& setting) : Earning(parameters, setting) {
        parameters.exactly_one({"field", "per_amount"});
        if (parameters.has("field")) {
            parameters.refuse("points", "The field says how many.");
            field_.emplace(parameters, "field", setting);
        } else {
            parameters.require("points");
            points_ = Points{*parameters.amount("points", type() ? type()->scale : 4)};
            per_amount_ = Money{*parameters.amount("per_amount", setting.currency_scale)};
        }
        parameters.finish();
    }

    // What comes in steps, far apart and of any height, is no part of the price.
    std::optional<Reach> reach() const override {
        if (!field_) return std::nullopt;
        Reach reach;
        reach.goods = false;
        reach.points = Reach::Points::fixed;
        return reach;
    }

    // A full sum for each of the money spent.
    std::vector<ReachFrom> reaches(const Program&) const override {
        if (field_) return {{Decimal{}, reach()}};
        Reach reach;
        reach.goods = false;
        reach.points = Reach::Points::by_price;
        reach.points_per_money = {points_.units, per_amount_.units};
        return {{Decimal{}, reach}};
    }

private:
    void earn(const View& view, Proposal& proposal) const override {
        if (field_) {
            for (const auto& line : sums_by_line(view)) earn_from_field(view, line, proposal);
            if (proposal.accruals.empty() && !proposal.skips.empty()) proposal.reason = Reason::field_missing;
            return;
        }
        const auto lines = sums_by_line(view);
        Money spent;
        for (const auto& line : lines) spent += line.total;
        attribute({scaled(points_.units, {spent.units / per_amount_.units, 1})}, lines, proposal);
    }

    void earn_from_field(const View& view, const LineSum& line, Proposal& proposal) const {
        const auto per_unit = field_->amount(view.order.lines[line.line]);
        if (!per_unit) {
            proposal.skips.push_back({line.line, Reason::field_missing});
            return;
        }
        const Fraction units = *per_unit * Fraction{power_of_ten(type()->scale), 1};
        const Points earned{scaled(line.quantity.units, units * Fraction{1, one_unit.units}, type()->rounding)};
        if (!earned.is_zero()) proposal.accruals.push_back({line.line, earned});
    }

    std::optional<FieldParameter> field_;
    Points points_;
    Money per_amount_;
};

}  // namespace

std::unique_ptr<const Benefit> read_accrue_points_from_field(Parameters& parameters, const BenefitSetting& setting) {
    return std::make_unique<AccruePointsFromField>(parameters, setting);
}

}  // namespace loyalty
