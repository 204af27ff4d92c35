// accrue_points with marginal steps: each band of the price earns at its own rate, as income is taxed.
//
//     {"point_type": "bonus", "marginal": true, "steps": [{"from": 0, "percent": 1}, {"from": 100, "percent": 5}]}
//                                                1 % of the first 100.00 and 5 % of what is beyond
//
// The price is that which the accrual finds: of the lines that it sees together. Rounded once for all of it.
#include "core/benefits/benefits.hpp"

#include "core/calculate/candidates.hpp"

#include <algorithm>

namespace loyalty {

namespace {

constexpr int percent_scale = 8;  // of a share in percent with 6 decimals

class MarginalPoints final : public Earning {
public:
    MarginalPoints(Parameters& parameters, const BenefitSetting& setting) : Earning(parameters, setting) {
        const bool sees_all = setting.level == Level::order && !parameters.has("segments");
        if (parameters.has("by") && parameters.choice("by", {"lines_total", "goods"}) == 1 && !sees_all)
            parameters.fail("by", "goods",
                            "\"lines_total\": the bands are those of the price that the accrual works on");
        for (auto& step : parameters.steps()) {
            const auto from = step.from.units(setting.currency_scale);
            if (!from) parameters.fail("from", step.from.to_string(), "money, with the decimals of the currency");
            if (!step.parameters.has("percent"))
                parameters.fail("marginal", "true", "steps that have \"percent\": bands earn by their prices");
            const Fraction share = *step.parameters.percent("percent", 100'000);
            bands_.push_back({Money{*from}, share.numerator * (power_of_ten(percent_scale) / share.denominator)});
            if (type()) steepest_ = std::max(steepest_, bands_.back().rate);
        }
        for (const auto* name : {"percent", "points"})
            parameters.refuse(name, "The steps say how much each band earns.");
        if (type()) per_money_ = Fraction{steepest_, power_of_ten(percent_scale)}.reduced() * type()->points_per_money;
        parameters.finish();
    }

    std::optional<Reach> reach() const override {
        Reach reach;
        reach.goods = false;
        reach.points = Reach::Points::by_price;
        reach.points_per_money = per_money_;
        return reach;
    }

    bool has_steps() const override { return true; }

    // At base prices, where others leave them as they are.
    std::optional<NextStep> next_step(const Program& program, const Order& order,
                                      std::span<const std::uint32_t> condition_lines) const override {
        Money total;
        for (std::uint32_t line = 0; line < order.lines.size(); line++) {
            const bool counts = condition_lines.empty() ? is_for(*this, order.lines[line])
                                                        : std::find(condition_lines.begin(), condition_lines.end(),
                                                                    line) != condition_lines.end();
            if (counts) total += order.lines[line].base;
        }
        for (const auto& band : bands_) {
            if (total < band.from)
                return NextStep{true, false, Decimal::of(band.from.units, program.currency_scale),
                                Decimal::of(total.units, program.currency_scale), {}};
        }
        return std::nullopt;
    }

private:
    // From some money on: how much of each unit of it is earned, in 10^-percent_scale.
    struct Band {
        Money from;
        int128 rate;
    };

    void earn(const View& view, Proposal& proposal) const override {
        const auto lines = sums_by_line(view);
        Money price;
        for (const auto& line : lines) price += line.total;
        if (price < bands_.front().from || lines.empty()) {
            proposal.reason = Reason::below_first_step;
            return;
        }
        int128 earned = 0;
        for (std::size_t i = 0; i < bands_.size() && bands_[i].from < price; i++) {
            const Money to = i + 1 < bands_.size() ? std::min(price, bands_[i + 1].from) : price;
            earned += checked_product((to - bands_[i].from).units, bands_[i].rate);
        }
        const Fraction points = Fraction{earned, power_of_ten(percent_scale)}.reduced() * type()->points_per_money;
        attribute({scaled(1, points, type()->rounding)}, lines, proposal);
    }

    std::vector<Band> bands_;
    int128 steepest_ = 0;
    Fraction per_money_;
};

}  // namespace

std::unique_ptr<const Benefit> read_marginal_points(Parameters& parameters, const BenefitSetting& setting) {
    return std::make_unique<MarginalPoints>(parameters, setting);
}

}  // namespace loyalty
