// accrue_points: the member earns points.
//
//     {"point_type": "bonus", "percent": 10}      10 % of the price back: worth 10 % of it through the ratio
//     {"point_type": "bonus", "points": 50}       on products: 50 for each unit; on orders: 50 for the order
//     …, "segments": ["shoes"]                    on orders: on the goods in these product segments only
//     …, "marginal": true                        with steps: see marginal_points.cc
//     …, "credit_on": "delivered"                 credited when the order (or line) reaches that status; default "new"
//     …, "delay": "14 days"                       active that long after they are credited
//
// Rounded once for all lines that the benefit sees, and attributed to them by largest remainder; the shipping earns
// nothing.
#include "core/benefits/benefits.hpp"

#include "core/money/allot.hpp"

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
        on_order_ = setting.level == Level::order;
    }

    Needs needs() const override { return points_ ? Needs::order : Needs::goods; }

    std::optional<Reach> reach() const override {
        Reach reach;
        reach.goods = false;
        reach.points = points_ ? Reach::Points::fixed : Reach::Points::by_price;
        reach.points_per_money = per_money_;
        if (on_order_ && points_) reach.points_once = points_->units;
        return reach;
    }

private:
    void earn(const View& view, Proposal& proposal) const override {
        const auto lines = sums_by_line(view);
        if (points_ && view.level == Level::product) {
            earn_by_unit(lines, proposal);
            return;
        }
        Money goods;
        for (const auto& line : lines) goods += line.total;
        attribute(points_ ? *points_ : Points{scaled(goods.units, per_money_, type()->rounding)}, lines, proposal);
    }

    void earn_by_unit(const std::vector<LineSum>& lines, Proposal& proposal) const {
        Quantity units;
        std::vector<std::int64_t> weights;
        for (const auto& line : lines) {
            units += line.quantity;
            weights.push_back(line.quantity.units);
        }
        const Points earned{scaled(points_->units, {units.units, one_unit.units}, type()->rounding)};
        const auto shares = allot(earned.units, weights);
        for (std::size_t i = 0; i < lines.size(); i++) {
            if (shares[i] != 0) proposal.accruals.push_back({lines[i].line, Points{shares[i]}});
        }
    }

    Fraction per_money_;
    std::optional<Points> points_;
    bool on_order_ = false;
};

}  // namespace

std::unique_ptr<const Benefit> read_accrue_points(Parameters& parameters, const BenefitSetting& setting) {
    if (parameters.has("marginal")) {
        parameters.require("steps");
        if (parameters.flag("marginal")) return read_marginal_points(parameters, setting);
    }
    return read_with_steps(parameters, setting, [](Parameters& own, const BenefitSetting& of) {
        return std::unique_ptr<const Benefit>(std::make_unique<AccruePoints>(own, of));
    });
}

}  // namespace loyalty
