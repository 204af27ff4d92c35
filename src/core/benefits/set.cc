// set: buy X get Y, bundles, "3 for 10", any number of times.
//
//     {"buy": [{"count": 2}], "get": [{"count": 1}], "percent": 100}         two, and the third for nothing
//     {"buy": [{"segments": ["shirts"], "count": 2}], "get": [{"segments": ["ties"], "count": 1}], "amount": 5}
//     {"get": [{"count": 3}], "price": 10}                                   three for 10.00
//     {"get": [{"segments": ["soups"], "count": 1}, {"segments": ["mains"], "count": 1}], "price": 12}     a menu
//
//     percent, amount   off each unit got; price: what the units got of one set cost together
//     pick              which units are got: "cheapest" (default, not with price) or "most_expensive" (default with
//                       price)
//     max_times         at most so many sets
//     share             over which lines the reduction lies: "set" (default; the units bought, too) or "get"
//
// Whole units of lines with a whole quantity make up sets, at their current unit prices; units at price 0 do not. Of
// the cheapest as many sets are formed as there can be; of the dearest as many as take off most, so that nobody pays
// more than its price for an article that is added. How units are chosen: sets.hpp.
#include "core/benefits/benefits.hpp"

#include "core/benefits/pick.hpp"
#include "core/benefits/sets.hpp"
#include "core/money/allot.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

namespace loyalty {

namespace {

// Prices of units are compared as whole numbers of a common fraction of the smallest unit of money: exactly, unless the
// quantities have no common multiple up to this one.
constexpr std::int64_t finest = 1'000'000'000'000;

struct Chosen {
    SetChoice units;
    int128 got_price = 0;  // of the units got together
    int128 reduction = 0;  // before it is rounded
};

// The units of an order that may make up sets.
struct Supply {
    std::vector<Part> groups;  // in line order
    std::vector<SetUnits> units;
    std::int64_t fraction = 1;  // of the smallest unit of money: what prices are given in

    void price_units() {
        for (const auto& unit : units) {
            const std::int64_t common = std::gcd(fraction, unit.count);
            if (fraction / common > finest / unit.count) {
                fraction = finest;
                break;
            }
            fraction = fraction / common * unit.count;
        }
        for (std::size_t i = 0; i < units.size(); i++)
            units[i].price = static_cast<int128>(groups[i].total.units) * fraction / units[i].count;
    }
};

class Set final : public Benefit {
public:
    Set(Parameters& parameters, const BenefitSetting& setting)
        : percent_(parameters.share("percent")), max_times_(parameters.count("max_times")) {
        parameters.exactly_one({"percent", "amount", "price"});
        if (const auto amount = parameters.amount("amount", setting.currency_scale)) amount_ = Money{*amount};
        if (const auto price = parameters.amount("price", setting.currency_scale)) price_ = Money{*price};
        parameters.require("get");
        read_parts(parameters, setting, "buy", false);
        read_parts(parameters, setting, "get", true);
        dearest_ =
            parameters.choice("pick", {"cheapest", "most_expensive"}) == 1 || (price_ && !parameters.has("pick"));
        if (price_ && !dearest_)
            parameters.fail("pick", "cheapest", "\"most_expensive\", or none: a price is for the dearest units");
        is_shared_ = parameters.choice("share", {"set", "get"}) == 0;
        parameters.finish();
    }

    // Where every unit may be bought as well as got, the cheapest are no dearer than the average of all units taken.
    std::optional<Reach> reach() const override {
        const auto differs = std::adjacent_find(segments_.begin(), segments_.end(), std::not_equal_to<>());
        const bool alike = differs == segments_.end();
        const std::int64_t units = alike && !dearest_ ? units_got_ + units_bought_ : units_got_;
        const Fraction got = Fraction{units_got_, units}.reduced();
        Reach reach;
        reach.share = percent_ ? *percent_ * got : got;
        if (amount_) reach.amount = Fraction{amount_->units, 1} * got;
        reach.items = max_times_ ? std::min(most_items, *max_times_ * units) : most_items;
        reach.splits_all = true;
        return reach;
    }

    bool has_steps() const override { return true; }

    // The next set.
    std::optional<NextStep> next_step(const Program&, const Order& order,
                                      std::span<const std::uint32_t> lines) const override {
        Supply supply;
        for (const auto line : lines)
            add(supply, order.lines[line], {0, order.lines[line].quantity, order.lines[line].base, {}});
        const Sets sets(supply.units, parts_, dearest_);
        const std::int64_t times = sets.most_times();
        if (max_times_ && times >= *max_times_) return std::nullopt;
        const SetShortage shortage = sets.shortage(times + 1);
        NextStep next{true, true, Decimal(shortage.wanted), Decimal(shortage.units), {}};
        for (std::size_t p = 0; p < parts_.size(); p++) {
            if ((shortage.parts >> p & 1) == 0) continue;
            if (segments_[p].empty()) return NextStep{true, true, next.from, next.value, {}};
            next.segments.insert(next.segments.end(), segments_[p].begin(), segments_[p].end());
        }
        return next;
    }

    Proposal propose(View view) const override {
        Proposal proposal;
        Supply supply;
        for (const auto& part : view.parts) add(supply, view.order.lines[view.state.groups[part.group].line], part);
        supply.price_units();
        const Sets sets(supply.units, parts_, dearest_);
        std::int64_t times = sets.most_times();
        if (times == 0) {
            proposal.reason = Reason::set_incomplete;
            return proposal;
        }
        if (max_times_) times = std::min(times, *max_times_);
        if (dearest_) times = best_times(sets, supply, times, view.work);
        if (times == 0) {
            proposal.reason = Reason::nothing_to_reduce;
            return proposal;
        }
        propose(choose(sets, supply, times, view.work), supply, proposal);
        proposal.sets = static_cast<std::uint32_t>(times);
        return proposal;
    }

private:
    static constexpr std::int64_t most_items = 1'000'000'000, most_tried = 50;

    void read_parts(Parameters& parameters, const BenefitSetting& setting, std::string_view name, bool is_got) {
        for (auto& part : parameters.objects(name)) {
            const auto count = part.count("count");
            if (!count)
                parameters.fail(name, "a part without it", "that each part says of how many units it is: \"count\"");
            segments_.push_back(segments_of(part, setting));
            part.finish();
            parts_.push_back({*count, is_got});
            (is_got ? units_got_ : units_bought_) += *count;
        }
        if (parts_.size() > most_set_parts)
            parameters.fail(name, std::to_string(parts_.size()) + " parts",
                            "at most 10 parts, those bought and got together");
    }

    static std::vector<Index> segments_of(Parameters& part, const BenefitSetting& setting) {
        std::vector<Index> indexes;
        const auto ids = part.texts("segments");
        if (!ids || !setting.segments) return indexes;
        for (const auto& id : *ids) {
            const auto found = std::find_if(setting.segments->begin(), setting.segments->end(),
                                            [&](const Segment& segment) { return segment.id == id; });
            if (found == setting.segments->end()) part.fail("segments", id, "product segments of the program");
            indexes.push_back(static_cast<Index>(found - setting.segments->begin()));
        }
        return indexes;
    }

    // Whole units alone, of lines with a whole quantity.
    void add(Supply& supply, const Line& line, const Part& part) const {
        const bool is_whole = line.quantity.units % one_unit.units == 0 && part.quantity.units % one_unit.units == 0;
        if (!is_whole || part.total <= Money{}) return;
        SetUnits units;
        units.count = part.quantity.units / one_unit.units;
        for (std::size_t p = 0; p < parts_.size(); p++) {
            const auto& wanted = segments_[p];
            const bool fits = wanted.empty() || std::find_first_of(wanted.begin(), wanted.end(), line.segments.begin(),
                                                                   line.segments.end()) != wanted.end();
            if (fits) units.fits |= 1U << p;
        }
        if (units.fits == 0) return;
        supply.groups.push_back(part);
        supply.units.push_back(units);
    }

    Chosen choose(const Sets& sets, const Supply& supply, std::int64_t times, Work* work) const {
        Chosen chosen{sets.choose(times, work), 0, 0};
        const int128 one = supply.fraction;
        int128 by_amount = 0;
        for (std::size_t i = 0; i < supply.units.size(); i++) {
            const int128 price = supply.units[i].price;
            chosen.got_price += checked_product(chosen.units.got[i], price);
            if (amount_)
                by_amount +=
                    checked_product(chosen.units.got[i], std::min(price, checked_product(amount_->units, one)));
        }
        if (price_) chosen.reduction = chosen.got_price - checked_product(checked_product(price_->units, times), one);
        if (amount_) chosen.reduction = by_amount;
        if (percent_) chosen.reduction = chosen.got_price;  // of which it is the same share, whatever is chosen
        return chosen;
    }

    // The least number of sets, up to `most`, that takes off most. What the dearest units cost together grows ever more
    // slowly with their number, so nothing better comes behind the first set that adds nothing. Amounts are not in
    // proportion to prices: of them the first sets are tried one by one.
    std::int64_t best_times(const Sets& sets, const Supply& supply, std::int64_t most, Work* work) const {
        std::map<std::int64_t, int128> known{{0, 0}};
        const auto reduction = [&](std::int64_t times) {
            const auto found = known.find(times);
            return found != known.end() ? found->second : known[times] = choose(sets, supply, times, work).reduction;
        };
        std::int64_t low = 0, high = most;
        if (amount_ && most <= most_tried) {
            for (std::int64_t times = 1; times <= most; times++) low = reduction(times) > reduction(low) ? times : low;
            return low;
        }
        while (low < high) {
            const std::int64_t middle = low + (high - low) / 2;
            if (reduction(middle + 1) > reduction(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    void propose(const Chosen& chosen, const Supply& supply, Proposal& proposal) const {
        Money shared;
        std::vector<std::int64_t> weights;
        for (std::size_t i = 0; i < supply.groups.size(); i++) {
            const Quantity got{chosen.units.got[i] * one_unit.units}, bought{chosen.units.bought[i] * one_unit.units};
            const Quantity touched = is_shared_ ? got + bought : got;
            if (!touched.is_zero()) {
                proposal.parts.push_back(first_units(supply.groups[i], touched));
                shared += proposal.parts.back().total;
                weights.push_back(proposal.parts.back().total.units);
            }
            if (is_shared_ || bought.is_zero()) continue;
            proposal.bought.push_back({supply.groups[i].group, got, got + bought});
        }
        const Fraction exact = Fraction{chosen.reduction, supply.fraction}.reduced();
        const Money reduction{scaled(1, percent_ ? exact * *percent_ : exact)};
        const auto asked = allot(std::min(reduction, shared).units, weights);
        for (std::size_t i = 0; i < asked.size(); i++) proposal.parts[i].asked = Money{asked[i]};
        proposal.is_amount = true;
    }

    std::optional<Fraction> percent_;
    std::optional<Money> amount_, price_;
    std::optional<std::int64_t> max_times_;
    std::vector<SetPart> parts_;
    std::vector<std::vector<Index>> segments_;  // by part; none: all that the condition is for
    std::int64_t units_got_ = 0, units_bought_ = 0;
    bool dearest_ = false;
    bool is_shared_ = true;
};

}  // namespace

std::unique_ptr<const Benefit> read_set(Parameters& parameters, const BenefitSetting& setting) {
    return std::make_unique<Set>(parameters, setting);
}

}  // namespace loyalty
