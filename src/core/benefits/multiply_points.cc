// multiply_points: what the member earns is worth more: double points on shoes, triple points on Mondays.
//
//     {"point_type": "bonus", "factor": 2}       twice the points that were earned before it
//     …, "segments": ["shoes"]                   on orders: of those earned by the goods in these product segments only
//
// What is multiplied are the rounded points that the children before it in its group, everything below them, and the
// earlier benefits of its own promotion have earned on the lines that it sees; on orders without segments also those of
// the order as a whole. The extra is rounded once, by the type, attributed to the lines by allotment, and credited as
// what it multiplies is.
#include "core/benefits/benefits.hpp"

#include "core/money/allot.hpp"

#include <algorithm>
#include <map>

namespace loyalty {

namespace {

class MultiplyPoints final : public Benefit {
public:
    MultiplyPoints(Parameters& parameters, const BenefitSetting& setting)
        : type_(parameters, setting), segments_(parameters, setting) {
        parameters.require("factor");
        const Fraction factor = *parameters.factor("factor");
        if (factor.numerator <= factor.denominator)
            parameters.fail("factor", *parameters.shown("factor"), "a number above 1: what is earned is never less");
        extra_ = {factor.numerator - factor.denominator, factor.denominator};
        for (const auto* name : {"credit_on", "delay"})
            parameters.refuse(name, "Points are credited as those are that they multiply.");
        parameters.finish();
    }

    std::uint32_t point_type() const override { return type_.index(); }
    const std::vector<Index>& segments() const override { return segments_.indexes(); }
    bool looks_around() const override { return true; }
    bool multiplies() const override { return true; }

    std::vector<ReachFrom> reaches(const Program&) const override {
        Reach reach;
        reach.goods = false;
        reach.points = Reach::Points::by_earned;
        reach.per_earned = extra_;
        return {{Decimal{}, reach}};
    }

    Proposal propose(View view) const override {
        Proposal proposal;
        proposal.level = view.level;
        proposal.point_type = type_.index();
        if (view.order.buyer.kind != BuyerKind::member) {
            proposal.reason = Reason::not_a_member;
        } else if (!view.order.buyer.balances[type_.index()].usable) {
            proposal.reason = Reason::point_type_inactive;
        } else {
            multiply(view, proposal);
            if (proposal.accruals.empty()) proposal.reason = Reason::nothing_earned;
        }
        return proposal;
    }

private:
    // What a line has earned, by the benefits whose terms of crediting it keeps.
    using ByBenefit = std::vector<std::pair<std::uint32_t, std::int64_t>>;

    std::map<std::uint32_t, ByBenefit> earned_by_line(const View& view) const {
        std::map<std::uint32_t, ByBenefit> lines;
        for (const auto& part : view.parts) lines.try_emplace(view.state.groups[part.group].line);
        if (view.level == Level::order && segments_.indexes().empty()) lines.try_emplace(no_line);
        for (const auto& earned : view.earned) {
            const auto line = lines.find(earned.line);
            if (earned.point_type != type_.index() || line == lines.end()) continue;
            auto& shares = line->second;
            const auto known = std::find_if(shares.begin(), shares.end(),
                                            [&](const auto& share) { return share.first == earned.like; });
            if (known == shares.end()) {
                shares.emplace_back(earned.like, earned.points.units);
            } else {
                known->second += earned.points.units;
            }
        }
        return lines;
    }

    static std::vector<std::int64_t> weights_of(const ByBenefit& shares) {
        std::vector<std::int64_t> weights;
        for (const auto& share : shares) weights.push_back(share.second);
        return weights;
    }

    void multiply(const View& view, Proposal& proposal) const {
        const auto lines = earned_by_line(view);
        std::vector<std::int64_t> weights;
        Points earned;
        for (const auto& [line, shares] : lines) {
            Points of_line;
            for (const auto weight : weights_of(shares)) of_line += Points{weight};
            weights.push_back(of_line.units);
            earned += of_line;
        }
        if (earned.is_zero()) return;
        const auto by_line = allot(scaled(earned.units, extra_, type_.type()->rounding), weights);
        std::size_t number = 0;
        for (const auto& [line, shares] : lines) {
            const auto of_line = by_line[number++];
            if (of_line == 0) continue;
            const auto by_benefit = allot(of_line, weights_of(shares));
            for (std::size_t i = 0; i < shares.size(); i++) {
                if (by_benefit[i] != 0) proposal.accruals.push_back({line, Points{by_benefit[i]}, shares[i].first});
            }
        }
    }

    PointTypeParameter type_;
    SegmentsParameter segments_;
    Fraction extra_;  // the factor less 1
};

}  // namespace

std::unique_ptr<const Benefit> read_multiply_points(Parameters& parameters, const BenefitSetting& setting) {
    return std::make_unique<MultiplyPoints>(parameters, setting);
}

}  // namespace loyalty
