// accrue_points: the member earns points.
//
//     {"point_type": "bonus", "percent": 10}      10 % of the price back: worth 10 % of it through the ratio
//     {"point_type": "bonus", "points": 50}       on products: 50 for each unit; on orders: 50 for the order
//     …, "credit_on": "delivered"                 credited when the order (or line) reaches that status; default "new"
//     …, "delay": "14 days"                       active that long after they are credited
//
// Rounded once per line; on orders once for all goods, shipping not included.
#include "core/benefits/benefits.hpp"

namespace loyalty {

namespace {

class AccruePoints final : public Earning {
public:
    AccruePoints(Parameters& parameters, const BenefitSetting& setting) : Earning(parameters, setting) {
        parameters.exactly_one({"percent", "points"});
        if (const auto percent = parameters.percent("percent", 100'000); percent && type()) {
            per_money_ = *percent * type()->points_per_money;
        }
        if (const auto points = parameters.amount("points", type() ? type()->scale : 4)) points_ = Points{*points};
        parameters.finish();
    }

    std::optional<Reach> reach() const override {
        Reach reach;
        reach.goods = false;
        reach.points = points_ ? Reach::Points::fixed : Reach::Points::by_price;
        reach.points_per_money = per_money_;
        return reach;
    }

private:
    void earn(const View& view, Proposal& proposal) const override {
        const auto lines = sums_by_line(view);
        if (view.level == Level::order) {
            Money goods;
            for (const auto& line : lines) goods += line.total;
            attribute(points(goods, one_unit), lines, proposal);
            return;
        }
        for (const auto& line : lines) {
            if (const Points earned = points(line.total, line.quantity); !earned.is_zero())
                proposal.accruals.push_back({line.line, earned});
        }
    }

    Points points(Money total, Quantity quantity) const {
        if (points_) return {scaled(points_->units, {quantity.units, one_unit.units})};
        return {scaled(total.units, per_money_)};
    }

    Fraction per_money_;
    std::optional<Points> points_;
};

}  // namespace

std::unique_ptr<const Benefit> read_accrue_points(Parameters& parameters, const BenefitSetting& setting) {
    return std::make_unique<AccruePoints>(parameters, setting);
}

}  // namespace loyalty
