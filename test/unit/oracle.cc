#include "unit/oracle.hpp"

#include "unit/oracle_sets.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

namespace loyalty::oracle {

namespace {

// --- Arithmetic
// ---------------------------------------------------------------------------------------------------------

using Int = std::int64_t;
__extension__ using Wide = __int128;

// A non-negative fraction.
struct Ratio {
    Wide top = 0;
    Wide bottom = 1;

    Ratio(Wide t, Wide b = 1) : top(t), bottom(b) {
        Wide x = t, y = b;
        while (y != 0) std::swap(x %= y, y);
        if (x > 1) top /= x, bottom /= x;
    }
};

Ratio operator*(const Ratio& a, const Ratio& b) {
    const Ratio left(a.top, b.bottom), right(b.top, a.bottom);
    return {left.top * right.top, left.bottom * right.bottom};
}
Ratio operator/(const Ratio& a, const Ratio& b) { return a * Ratio(b.bottom, b.top); }
Ratio operator-(const Ratio& a, const Ratio& b) { return {a.top * b.bottom - b.top * a.bottom, a.bottom * b.bottom}; }

Int floor(const Ratio& r) { return static_cast<Int>(r.top / r.bottom); }
Int ceil(const Ratio& r) { return static_cast<Int>((r.top + r.bottom - 1) / r.bottom); }
Int round(const Ratio& r) { return static_cast<Int>((2 * r.top + r.bottom) / (2 * r.bottom)); }

Wide ten_to(int exponent) {
    Wide power = 1;
    while (exponent-- > 0) power *= 10;
    return power;
}

Ratio ratio_of(const Decimal& decimal) { return {decimal.coefficient(), ten_to(decimal.scale())}; }

constexpr Int millionths = 1'000'000;

std::vector<Int> allot(Int amount, const std::vector<Int>& weights) {
    const Wide sum = std::accumulate(weights.begin(), weights.end(), Wide{0});
    std::vector<Int> shares(weights.size(), 0);
    if (weights.empty()) return shares;
    if (sum == 0) {
        shares[0] = amount;
        return shares;
    }
    std::vector<Wide> remainders;
    Int left = amount;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        shares[i] = static_cast<Int>(Wide{amount} * weights[i] / sum);
        remainders.push_back(Wide{amount} * weights[i] % sum);
        left -= shares[i];
    }
    for (; left > 0; --left) {
        const auto largest = std::max_element(remainders.begin(), remainders.end());
        ++shares[static_cast<std::size_t>(largest - remainders.begin())];
        *largest = -1;
    }
    return shares;
}

// --- The tree and the state
// ---------------------------------------------------------------------------------------------

struct Node {
    const TreeGroup* group = nullptr;
    const TreePromotion* promotion = nullptr;
    std::int64_t position = 0;
    std::string id;
};

struct Piece {
    int line;
    Int from, to, total;
    bool lowered = false;  // by a reduction that no points paid

    Int quantity() const { return to - from; }
};

struct World {
    std::vector<Piece> pieces;
    Int shipping;
    std::vector<Int> paid;
    std::vector<Int> gross;   // per group of the tree
    std::optional<Int> left;  // of the budget of the promotion at work
    // What earlier children of the group at work, and earlier benefits of the promotion, earned: type, line, points.
    std::vector<std::tuple<int, int, Int>> earned;

    Int total() const {
        Int sum = shipping;
        for (const Piece& piece : pieces) sum += piece.total;
        return sum;
    }
};

constexpr int the_shipping = -1, the_order = -2;

// Which benefit: the promotion, the level, and its number among the promotion's benefits of that level.
struct Source {
    const TreePromotion* promotion = nullptr;
    Level level = Level::product;
    int number = 0;
};

struct Effect {
    Source source;
    int target = 0;  // a line, the_shipping or the_order
    bool order_level = false;
    int type = -1;  // the point type paid with or accrued
    bool accrual = false, deduction = false, text = false, code = false;
    bool order_only = false, shipping_only = false;  // what it takes, in incompatibility
    Int from = 0, to = 0;
    Int asked = 0, applied = 0, points = 0;
    bool bought = false;  // a set asks for it, and leaves it at its price
    Int units = 0, worth = 0;  // of a product that is given away
    bool claim = false;        // a line for which it is

    bool gives() const { return units > 0; }
    bool is_something() const { return applied != 0 || points != 0 || text || code || gives(); }
    // Whether it is one that changes no price.
    bool is_gift() const { return accrual || deduction || text || code || gives() || claim; }
};
using Effects = std::vector<Effect>;

struct Taken {
    std::map<int, std::vector<std::pair<Int, Int>>> units;  // by line
    bool order = false, shipping = false;

    bool has(const Piece& piece) const {
        const auto line = units.find(piece.line);
        if (line == units.end()) return false;
        return std::any_of(line->second.begin(), line->second.end(), [&](const auto& range) {
            return std::max(range.first, piece.from) < std::min(range.second, piece.to);
        });
    }
};

struct Ask {
    std::size_t piece;
    Int quantity;  // its first units
    Int total;
    Int asked = 0;
    int purse = 0;  // which of several amounts it has a share of
};

struct Proposal {
    Source source;
    bool order_level = false;
    bool order_only = false, shipping_only = false;
    bool amount = false;  // one sum, which floors move
    int type = -1;
    std::vector<Ask> asks;
    Int shipping = 0, shipping_base = 0;
    std::vector<std::pair<int, Int>> accruals;  // line or the_order, points
    bool deducts = false;                       // takes them away instead
    std::vector<int> texts;                     // lines or the_order
    bool code = false;
    std::vector<std::pair<int, std::pair<Int, Int>>> bought;  // line, units
    Int sets = 0;                                             // formed
    Int given = 0, worth = 0;                                 // of a product
    std::vector<int> claims;                                  // lines for which it is given
};

// The benefits that cannot be added up.
const std::set<std::string> not_summable{"round_price", "round_order_price", "price_from_field",
                                         "accrue_points_from_field", "multiply_points", "deduct_points"};

bool can_be_summed(const TreeBenefit& benefit) {
    if (not_summable.contains(benefit.benefit)) return false;
    Parameters parameters = benefit.parameters;
    return !parameters.has("steps") || !parameters.steps().front().parameters.has("price");
}

using Amounts = std::vector<std::vector<Int>>;  // per effect, per piece
using Chain = std::vector<const TreeGroup*>;    // from the innermost group to main

constexpr Int unlimited = INT64_MAX;

// --- The calculation
// ----------------------------------------------------------------------------------------------------

class Calculator {
public:
    Calculator(const Tree& tree, const Order& order, const Facts& facts) : tree_(tree), order_(order), facts_(facts) {
        for (const TreeGroup& group : tree.groups) children_.push_back(children_of(group));
        for (const Line& line : order.lines) base_goods_ += line.base.units;
    }

    // What was paid with a type is to come to a multiple of its step, and to its minimum: else again with less.
    Result run() {
        for (int attempt = 1;; ++attempt) {
            Result result = attempt_once();
            const auto wrong = std::find_if(order_.redeem.begin(), order_.redeem.end(), [&](const Redeem& redeem) {
                const auto& type = tree_.point_types[redeem.point_type];
                const Int paid = result.paid[redeem.point_type];
                if (paid == 0 || (!type.redeem_min && !type.redeem_step)) return false;
                const Int spent = spent_on(static_cast<int>(redeem.point_type), paid);
                const bool whole = !type.redeem_step ||
                    paid == floor(Ratio(spent) / points_per_money(static_cast<int>(redeem.point_type)));
                return !whole || spent < least(type);
            });
            if (wrong == order_.redeem.end()) return result;
            const int type = static_cast<int>(wrong->point_type);
            const TreePointType& of = tree_.point_types[wrong->point_type];
            const Int needed = ceil(Ratio(result.paid[wrong->point_type]) * points_per_money(type));
            // The greatest multiple below what was needed.
            caps_[type] = of.redeem_step && attempt < 8 ? (needed - 1) / step(of) * step(of) : 0;
        }
    }

private:
    // Points that pay so much money, in whole steps.
    Int spent_on(int type, Int paid) const {
        Int needed = ceil(Ratio(paid) * points_per_money(type));
        const Int one = step(tree_.point_types[static_cast<std::size_t>(type)]);
        needed += (one - needed % one) % one;
        return std::min(points_offered(type).value_or(0), needed);
    }

    Int step(const TreePointType& type) const {
        return type.redeem_step ? floor(ratio_of(*type.redeem_step) * ten_to(type.scale)) : 1;
    }
    Int least(const TreePointType& type) const {
        return type.redeem_min ? floor(ratio_of(*type.redeem_min) * ten_to(type.scale)) : 0;
    }

    // As the type rounds what is earned.
    Int rounded(const Ratio& points, int type) const {
        switch (tree_.point_types[static_cast<std::size_t>(type)].rounding) {
            case Rounding::down: return floor(points);
            case Rounding::up: return ceil(points);
            default: return round(points);
        }
    }

    Result attempt_once() {
        World world;
        for (std::size_t i = 0; i < order_.lines.size(); ++i) {
            world.pieces.push_back(
                {static_cast<int>(i), 0, order_.lines[i].quantity.units, order_.lines[i].base.units});
        }
        world.shipping = order_.shipping.units;
        world.paid.assign(tree_.point_types.size(), 0);
        world.gross.assign(tree_.groups.size(), 0);
        Effects effects;
        for (const TreeGroup& group : tree_.groups) {
            if (group.parent.empty()) effects = evaluate_group(group, {}, world, {});
        }
        return result(world, effects);
    }

    // --- Limits and budgets ---

    Int floor_of(int line, Int quantity, const Chain& chain) const {
        const Line& l = order_.lines[static_cast<std::size_t>(line)];
        const auto of_units = [&](const Ratio& per_unit) { return round(per_unit * Ratio(quantity, millionths)); };
        Int lowest = l.min_price ? of_units(money_of(l.min_price->units)) : 0;
        for (const TreeGroup* group : chain) {
            if (group->min_product_price_percent) {
                lowest = std::max(
                    lowest, of_units(money_of(l.price.units) * ratio_of(*group->min_product_price_percent) / 100));
            }
            if (group->min_product_price_amount) {
                lowest = std::max(lowest,
                                  of_units(ratio_of(*group->min_product_price_amount) * ten_to(tree_.currency_scale)));
            }
        }
        return lowest;
    }

    // A price of a unit, in smallest units of money.
    Ratio money_of(Int price) const { return Ratio(price) / ten_to(price_scale() - tree_.currency_scale); }
    int price_scale() const { return tree_.price_scale.value_or(tree_.currency_scale); }

    Int money_units(const Decimal& money) const { return floor(ratio_of(money) * ten_to(tree_.currency_scale)); }

    Int reduction_left(const World& world, const Chain& chain) const {
        Int left = unlimited;
        for (std::size_t i = 0; i + uncapped_ < chain.size(); ++i) {
            const TreeGroup* group = chain[i];
            const Int so_far = world.gross[number_of(*group)];
            if (group->max_discount_percent) {
                const Int limit = round(Ratio(base_goods_) * ratio_of(*group->max_discount_percent) / 100);
                left = std::min(left, std::max<Int>(0, limit - so_far));
            }
            if (group->max_discount_amount) {
                left = std::min(left, std::max<Int>(0, money_units(*group->max_discount_amount) - so_far));
            }
        }
        return left;
    }

    // Points of the type per money, each in its smallest unit.
    Ratio points_per_money(int type) const {
        const TreePointType& t = tree_.point_types[static_cast<std::size_t>(type)];
        return ratio_of(t.ratio) * ten_to(t.scale) / ten_to(tree_.currency_scale);
    }

    const Balance& balance(int type) const { return order_.buyer.balances[static_cast<std::size_t>(type)]; }

    std::optional<Int> points_offered(int type) const {
        for (const Redeem& redeem : order_.redeem) {
            if (static_cast<int>(redeem.point_type) != type) continue;
            const auto& of = tree_.point_types[static_cast<std::size_t>(type)];
            Int points = balance(type).active.units;
            if (redeem.amount) points = std::min(points, redeem.amount->units);
            if (const auto cap = caps_.find(type); cap != caps_.end()) points = std::min(points, cap->second);
            points -= points % step(of);
            return points < least(of) ? 0 : points;
        }
        return std::nullopt;
    }

    Int budget_left(const World& world, int type) const {
        const auto offered = points_offered(type);
        if (!offered || !balance(type).usable || order_.buyer.kind != BuyerKind::member) return 0;
        Int most = floor(Ratio(*offered) / points_per_money(type));
        if (const auto& percent = tree_.point_types[static_cast<std::size_t>(type)].redeem_max_percent) {
            Int goods = std::accumulate(world.paid.begin(), world.paid.end(), Int{0});
            for (const Piece& piece : world.pieces) goods += piece.total;
            most = std::min(most, floor(Ratio(goods) * ratio_of(*percent) / 100));
        }
        return std::max<Int>(0, most - world.paid[static_cast<std::size_t>(type)]);
    }

    Int allowed(const World& world, const Chain& chain, int type) const {
        const Int left = std::min(reduction_left(world, chain), world.left.value_or(unlimited));
        return type < 0 ? left : std::min(left, budget_left(world, type));
    }

    std::size_t number_of(const TreeGroup& group) const {
        return static_cast<std::size_t>(&group - tree_.groups.data());
    }

    void reduce_goods(World& world, const Chain& chain, int type, Int amount) const {
        for (const TreeGroup* group : chain) world.gross[number_of(*group)] += amount;
        if (world.left) *world.left -= amount;
        if (type >= 0) world.paid[static_cast<std::size_t>(type)] += amount;
    }

    // --- Proposals ---

    // Whether a unit of the piece was lowered when the promotion began.
    static bool was_lowered(const Piece& piece, const std::vector<Piece>& began) {
        return std::any_of(began.begin(), began.end(), [&](const Piece& before) {
            return before.lowered && before.line == piece.line && before.from < piece.to && piece.from < before.to;
        });
    }

    std::vector<Ask> visible(const TreeCondition& condition, const World& world, const std::vector<Piece>& began,
                             const Taken& taken) const {
        std::vector<Ask> asks;
        for (std::size_t i = 0; i < world.pieces.size(); ++i) {
            const Piece& piece = world.pieces[i];
            if (taken.has(piece)) continue;
            if (condition.level == Level::product &&
                !fulfils(tree_, condition, order_.lines[static_cast<std::size_t>(piece.line)]))
                continue;
            if (condition.untouched && was_lowered(piece, began)) continue;
            if (steps_see_ && !steps_see_->contains(i)) continue;
            asks.push_back({i, piece.quantity(), piece.total});
        }
        return asks;
    }

    // Lines of one product at one price are one line, where a benefit counts by line.
    std::pair<std::string, Int> article(const Ask& ask, const World& world) const {
        const Line& line = order_.lines[static_cast<std::size_t>(world.pieces[ask.piece].line)];
        return {line.product, line.price.units};
    }
    inline static const std::pair<std::string, Int> article_of_all{"", -1};

    // An amount off all that is asked for, or off each article, over what it costs.
    void ask_amount(Proposal& proposal, std::vector<Ask> asks, Int amount, bool per_line, const World& world) const {
        std::map<std::pair<std::string, Int>, std::vector<std::size_t>> articles;
        for (std::size_t i = 0; i < asks.size(); ++i)
            articles[per_line ? article(asks[i], world) : article_of_all].push_back(i);
        int number = 0;
        for (const auto& [name, members] : articles) {
            std::vector<Int> totals;
            for (const auto i : members) totals.push_back(asks[i].total);
            const Int all = std::min(amount, std::accumulate(totals.begin(), totals.end(), Int{0}));
            const auto shares = oracle::allot(all, totals);
            for (std::size_t k = 0; k < members.size(); ++k) {
                asks[members[k]].asked = shares[k];
                asks[members[k]].purse = number;
            }
            ++number;
        }
        proposal.amount = true;
        proposal.asks = std::move(asks);
    }

    std::vector<Ask> pick_items(std::vector<Ask> asks, const World& world, Parameters& parameters) const {
        const auto most = parameters.count("max_items");
        if (!most) return asks;
        const auto pick = parameters.choice("pick", {"line_order", "cheapest", "most_expensive"});
        std::erase_if(asks, [](const Ask& ask) { return ask.total == 0; });
        std::stable_sort(asks.begin(), asks.end(), [&](const Ask& a, const Ask& b) {
            const Wide price_a = Wide{a.total} * b.quantity, price_b = Wide{b.total} * a.quantity;
            if (pick == 1) return price_a < price_b;
            if (pick == 2) return price_a > price_b;
            return position(a, world) < position(b, world);
        });
        const bool per_line = parameters.choice("max_items_per", {"order", "line"}) == 1;
        std::vector<Ask> picked;
        std::map<std::pair<std::string, Int>, Int> left_of;
        for (Ask ask : asks) {
            Int& left = left_of.try_emplace(per_line ? article(ask, world) : article_of_all, *most).first->second;
            if (left == 0) continue;
            const Int items = (ask.quantity + millionths - 1) / millionths;
            if (items > left) {
                const Int taken = left * millionths;
                ask.total = oracle::allot(ask.total, {taken, ask.quantity - taken})[0];
                ask.quantity = taken;
            }
            left -= std::min(items, left);
            picked.push_back(ask);
        }
        std::sort(picked.begin(), picked.end(), [](const Ask& a, const Ask& b) { return a.piece < b.piece; });
        return picked;
    }

    std::uint32_t position(const Ask& ask, const World& world) const {
        return order_.lines[static_cast<std::size_t>(world.pieces[ask.piece].line)].position;
    }

    int type_of(Parameters& parameters) const {
        const std::string id = *parameters.text("point_type");
        for (std::size_t i = 0; i < tree_.point_types.size(); ++i) {
            if (tree_.point_types[i].id == id) return static_cast<int>(i);
        }
        return -1;
    }

    // percent of the money, in points.
    Int points_worth(const Ratio& money, const Fraction& percent, int type) const {
        return rounded(money * Ratio(percent.numerator, percent.denominator) * points_per_money(type), type);
    }

    int scale_of(int type) const { return tree_.point_types[static_cast<std::size_t>(type)].scale; }

    // What the lines that count cost now.
    template <class Counts>
    Int goods_now(const World& world, const Counts& counts) const {
        Int goods = 0;
        for (const Piece& piece : world.pieces) {
            if (counts(order_.lines[static_cast<std::size_t>(piece.line)])) goods += piece.total;
        }
        return goods;
    }

    template <class Counts>
    bool comes_to_now(const Minimum& minimum, const World& world, const Counts& counts) const {
        return !minimum.current || !minimum.total ||
               Decimal::of(goods_now(world, counts), tree_.currency_scale) >= *minimum.total;
    }

    Proposal propose(const TreeBenefit& benefit, const TreeCondition& condition, const Source& source,
                     const World& world, const std::vector<Piece>& began, const Taken& taken,
                     std::optional<Int> sets = {}) const {
        Proposal proposal;
        proposal.source = source;
        proposal.order_level = condition.level == Level::order;
        Parameters parameters = benefit.parameters;
        const std::string& name = benefit.benefit;
        if (proposal.order_level) {
            proposal.order_only = name == "text" || name == "issue_promo_code" || name == "gift" ||
                                  (name == "accrue_points" && parameters.has("points"));
            proposal.shipping_only = parameters.has("target") && *parameters.text("target") == "shipping";
            if (proposal.shipping_only ? taken.shipping : taken.order) return proposal;
        }
        if (!comes_to_now(condition.minimum, world, [&](const Line& line) { return fulfils(tree_, condition, line); }))
            return proposal;
        std::vector<Ask> asks = visible(condition, world, began, proposal.order_only ? Taken{} : taken);
        if (const auto segments = parameters.texts("segments")) {
            const TreeCondition only{Level::product, ConditionMode::in, *segments, {}};
            std::erase_if(asks, [&](const Ask& ask) {
                return !fulfils(tree_, only, order_.lines[static_cast<std::size_t>(world.pieces[ask.piece].line)]);
            });
        }
        if (parameters.flag("marginal")) {
            propose_marginal(proposal, asks, parameters, world);
        } else if (parameters.has("steps")) {
            propose_steps(proposal, benefit, condition, asks, world, began, taken);
        } else if (name == "discount") {
            propose_discount(proposal, pick_items(asks, world, parameters), parameters, world, taken);
        } else if (name == "gift") {
            propose_gift(proposal, asks, parameters, world, sets);
        } else if (name == "set") {
            propose_set(proposal, asks, parameters, world);
        } else if (name == "price_from_field") {
            propose_price_from_field(proposal, asks, parameters, world);
        } else if (name == "round_price") {
            for (Ask& ask : asks) ask.asked = ask.total - rounded(ask.total, ask.quantity, parameters, price_scale());
            proposal.asks = asks;
        } else if (name == "round_order_price") {
            proposal.amount = true;
            const bool with_shipping = parameters.choice("target", {"goods", "order"}) == 1 && !taken.shipping;
            propose_on_order(proposal, asks, with_shipping ? world.shipping : 0, [&](Int base) {
                return base - rounded(base, millionths, parameters, tree_.currency_scale);
            });
        } else if (name == "partner_discount") {
            propose_partner_discount(proposal, asks, parameters, world);
        } else if (name == "text") {
            propose_text(proposal, asks, world);
        } else if (name == "issue_promo_code") {
            proposal.code = order_.buyer.kind != BuyerKind::anonymous;
        } else if (name == "points_discount") {
            propose_points_discount(proposal, pick_items(asks, world, parameters), parameters, world);
        } else if (name == "accrue_points") {
            propose_accrual(proposal, asks, parameters, world);
        } else if (name == "multiply_points") {
            propose_multiplied(proposal, asks, parameters, world);
        } else if (name == "deduct_points") {
            propose_deduction(proposal, condition.level, asks, parameters, world);
        } else if (name == "accrue_points_from_field") {
            propose_accrual_from_field(proposal, asks, parameters, world);
        } else if (*parameters.text("mode") == "accrue") {
            propose_partner_accrual(proposal, asks, parameters, world);
        } else {
            propose_partner_payment(proposal, asks, parameters, world);
        }
        return proposal;
    }

    // --- Steps ---

    // The benefit as its deepest step reached makes it; by the quantity of each line, for the lines that reached it
    // alone.
    void propose_steps(Proposal& proposal, const TreeBenefit& benefit, const TreeCondition& condition,
                       const std::vector<Ask>& asks, const World& world, const std::vector<Piece>& began,
                       const Taken& taken) const {
        Parameters parameters = benefit.parameters;
        const bool by_money_of_lines = condition.level == Level::product || parameters.has("segments");
        const std::string by = parameters.has("by") ? *parameters.text("by")
                               : by_money_of_lines  ? "lines_total"
                                                    : "goods";
        const auto counts = [&](const Line& line) {
            if (by == "goods" || by == "items") return true;
            if (condition.level == Level::product) return fulfils(tree_, condition, line);
            const auto segments = parameters.texts("segments");
            return !segments || fulfils(tree_, {Level::product, ConditionMode::in, *segments, {}}, line);
        };
        auto counted = [&](const auto& counts_here) {
            Int units = 0, money = 0;
            for (const Line& line : order_.lines) {
                if (!counts_here(line)) continue;
                units += line.quantity.units;
                money += line.base.units;
            }
            if (parameters.has("at") && *parameters.text("at") == "current") money = goods_now(world, counts_here);
            return by == "goods" || by == "lines_total" ? Decimal::of(money, tree_.currency_scale)
                                                        : Decimal::of(units, 6);
        };
        const auto steps = parameters.steps();
        const auto deepest = [&](const Decimal& value) {
            int reached = -1;
            for (int i = 0; i < static_cast<int>(steps.size()); ++i) {
                if (steps[static_cast<std::size_t>(i)].from <= value) reached = i;
            }
            return reached;
        };
        const auto at = [&](int step, const World& seen, const TreeCondition& wanted) {
            const TreeBenefit one{benefit.benefit, steps[static_cast<std::size_t>(step)].parameters};
            return propose(one, wanted, proposal.source, seen, began, taken);
        };
        if (by != "line_items") {
            const int reached = deepest(counted(counts));
            if (reached >= 0) proposal = at(reached, world, condition);
            return;
        }
        // Each step sees nothing but the pieces of its lines.
        std::map<int, std::set<std::size_t>> pieces;
        for (const Ask& ask : asks) {
            const auto of = article(ask, world);
            const int reached = deepest(counted([&](const Line& line) {
                return counts(line) && line.product == of.first && line.price.units == of.second;
            }));
            if (reached >= 0) pieces[reached].insert(ask.piece);
        }
        std::vector<Ask> all;
        for (const auto& [step, mine] : pieces) {
            steps_see_ = &mine;
            Proposal part = at(step, world, condition);
            steps_see_ = nullptr;
            for (Ask ask : part.asks) {
                ask.purse += 1000 * step;
                all.push_back(ask);
            }
            if (proposal.asks.empty() && all.size() == part.asks.size()) proposal = part;
        }
        std::sort(all.begin(), all.end(), [](const Ask& a, const Ask& b) { return a.piece < b.piece; });
        proposal.asks = std::move(all);
    }

    // --- Prices ---

    // The total of so many units after the price of one has been rounded to the step.
    Int rounded(Int total, Int quantity, Parameters& parameters, int scale) const {
        Ratio step = 0;  // in smallest units
        std::string direction = "nearest";
        if (parameters.has("mode")) {
            const std::string mode = *parameters.text("mode");
            const Ratio one = ten_to(tree_.currency_scale);
            step = mode == "half" ? one / 2 : mode == "integer" || mode == "integer_down" ? one : one * 10;
            if (mode == "integer_down" || mode == "tens") direction = "down";
        } else {
            step = Ratio(*parameters.amount("step", scale)) / ten_to(scale - tree_.currency_scale);
            if (parameters.has("direction")) direction = *parameters.text("direction");
        }
        const Ratio steps = Ratio(total) / Ratio(quantity, millionths) / step;
        const Int whole = direction == "up" ? ceil(steps) : direction == "down" ? floor(steps) : round(steps);
        return round(Ratio(whole) * step * Ratio(quantity, millionths));
    }

    // The amount that a custom field of a line holds, if it holds one.
    std::optional<Ratio> field_of(int line, Parameters& parameters) const {
        const auto& fields = facts_.fields[static_cast<std::size_t>(line)];
        const auto field = fields.find(*parameters.text("field"));
        if (field == fields.end() || !field->second.number || field->second.number->is_negative()) return std::nullopt;
        return ratio_of(*field->second.number);
    }

    void propose_price_from_field(Proposal& proposal, const std::vector<Ask>& asks, Parameters& parameters,
                                  const World& world) const {
        const auto factor = parameters.factor("factor");
        for (Ask ask : asks) {
            const auto field = field_of(world.pieces[ask.piece].line, parameters);
            if (!field) continue;
            const Ratio times = factor ? Ratio(factor->numerator, factor->denominator) : Ratio(1);
            const Int unit_price = round(*field * times * ten_to(price_scale()));
            const Int price = round(money_of(unit_price) * Ratio(ask.quantity, millionths));
            ask.asked = std::max<Int>(0, ask.total - price);
            proposal.asks.push_back(ask);
        }
    }

    // --- Sets ---

    void propose_set(Proposal& proposal, const std::vector<Ask>& all, Parameters& parameters,
                     const World& world) const {
        std::vector<SetSlots> parts;
        std::vector<TreeCondition> wanted;
        for (const bool gets : {false, true}) {
            for (Parameters part : parameters.objects(gets ? "get" : "buy")) {
                parts.push_back({*part.count("count"), gets});
                const auto segments = part.texts("segments");
                wanted.push_back({Level::product, segments ? ConditionMode::in : ConditionMode::all,
                                  segments.value_or(std::vector<std::string>{}), {}});
            }
        }
        // Whole units that cost something; prices in a common fraction.
        std::vector<Ask> asks;
        std::vector<SetGroup> groups;
        Wide one = 1;
        for (const Ask& ask : all) {
            const Line& line = order_.lines[static_cast<std::size_t>(world.pieces[ask.piece].line)];
            if (line.quantity.units % millionths != 0 || ask.total <= 0) continue;
            SetGroup group{ask.quantity / millionths, 0, {}};
            for (std::size_t p = 0; p < parts.size(); ++p) {
                if (fulfils(tree_, wanted[p], line)) group.fits.insert(p);
            }
            asks.push_back(ask);
            groups.push_back(group);
            one *= group.count / std::gcd(static_cast<Int>(one % group.count), group.count);
        }
        for (std::size_t i = 0; i < asks.size(); ++i) groups[i].price = Wide{asks[i].total} * one / groups[i].count;
        const bool priced = parameters.has("price");
        const bool dearest = priced || (parameters.has("pick") && *parameters.text("pick") == "most_expensive");
        const auto best = best_sets(groups, parts, dearest, one, parameters);
        if (!best) return;
        share_set(proposal, asks, best->first, best->second, parameters);
        proposal.sets = times_;
    }

    // --- Gifts ---

    void propose_gift(Proposal& proposal, const std::vector<Ask>& asks, Parameters& parameters, const World& world,
                      const std::optional<Int>& sets) const {
        const bool per_set = parameters.has("per") && *parameters.text("per") == "set";
        if (!proposal.order_level && asks.empty()) return;
        const auto left = facts_.left.find(proposal.source.promotion->id);
        if (left != facts_.left.end() && left->second.money && left->second.money->is_zero()) return;
        const Int units = parameters.count("quantity").value_or(1) * (per_set && sets ? *sets : 1);
        const auto price = facts_.gift_prices.find(*parameters.text("product"));
        proposal.given = units;
        proposal.worth = price == facts_.gift_prices.end() ? 0 : price->second * units;
        if (proposal.order_level || units == 0) return;
        for (const auto& [line, goods] : by_line(asks, world)) proposal.claims.push_back(line);
    }

    // Which units, and what comes off them, rounded.
    std::optional<std::pair<SetFilling, Int>> best_sets(const std::vector<SetGroup>& groups,
                                                        const std::vector<SetSlots>& parts, bool dearest, Wide one,
                                                        Parameters& parameters) const {
        const auto percent = parameters.share("percent");
        const auto amount = parameters.amount("amount", tree_.currency_scale);
        const auto price = parameters.amount("price", tree_.currency_scale);
        const Int most = parameters.count("max_times").value_or(INT32_MAX);
        std::optional<SetFilling> best;
        Wide best_off = 0;
        for (Int times = 1; times <= most; ++times) {
            const auto filling = fill_sets(groups, parts, dearest, times);
            if (!filling) break;
            Wide off = 0;
            for (std::size_t i = 0; i < groups.size(); ++i)
                off += filling->got[i] * (amount ? std::min<Wide>(groups[i].price, *amount * one) : groups[i].price);
            if (price) off -= times * *price * one;
            if (dearest && off <= best_off) continue;
            best = filling;
            best_off = off;
            times_ = times;
        }
        if (!best) return std::nullopt;
        const Ratio share = percent ? Ratio(percent->numerator, percent->denominator) : Ratio(1);
        return std::pair{*best, round(Ratio(best_off, one) * share)};
    }

    static void share_set(Proposal& proposal, const std::vector<Ask>& asks, const SetFilling& units, Int off,
                          Parameters& parameters) {
        const bool only_got = parameters.has("share") && *parameters.text("share") == "get";
        std::vector<Int> totals;
        for (std::size_t i = 0; i < asks.size(); ++i) {
            Ask ask = asks[i];
            const Int touched = (units.got[i] + (only_got ? 0 : units.bought[i])) * millionths;
            if (only_got && units.bought[i] > 0) {
                proposal.bought.push_back({static_cast<int>(ask.piece),
                                           {touched, touched + units.bought[i] * millionths}});
            }
            if (touched == 0) continue;
            if (touched < ask.quantity) ask.total = oracle::allot(ask.total, {touched, ask.quantity - touched})[0];
            ask.quantity = touched;
            totals.push_back(ask.total);
            proposal.asks.push_back(ask);
        }
        const auto shares = oracle::allot(std::min(off, std::accumulate(totals.begin(), totals.end(), Int{0})), totals);
        for (std::size_t i = 0; i < totals.size(); ++i) proposal.asks[i].asked = shares[i];
        proposal.amount = true;
    }

    // --- Partners ---

    // What the benefit's partners offer for a line's product today.
    const TreePartnerProduct* terms_of(int line, Parameters& parameters) const {
        for (const TreePartnerProduct& product : tree_.partner_products) {
            if (product.sku != order_.lines[static_cast<std::size_t>(line)].product) continue;
            if (const auto wanted = parameters.texts("partners");
                wanted && std::count(wanted->begin(), wanted->end(), product.partner) == 0)
                return nullptr;
            for (const TreePartner& partner : tree_.partners) {
                if (partner.id == product.partner && partner.starts_on.value_or(facts_.today) <= facts_.today)
                    return &product;
            }
        }
        return nullptr;
    }

    void propose_partner_discount(Proposal& proposal, const std::vector<Ask>& asks, Parameters& parameters,
                                  const World& world) const {
        for (Ask ask : asks) {
            const TreePartnerProduct* terms = terms_of(world.pieces[ask.piece].line, parameters);
            if (!terms || !terms->discount_percent) continue;
            ask.asked = round(Ratio(ask.total) * ratio_of(*terms->discount_percent) / 100);
            proposal.asks.push_back(ask);
        }
    }

    void propose_partner_payment(Proposal& proposal, const std::vector<Ask>& asks, Parameters& parameters,
                                 const World& world) const {
        proposal.type = type_of(parameters);
        if (budget_left(world, proposal.type) <= 0) return;
        const Ratio points_per_unit = points_per_money(proposal.type) / ten_to(scale_of(proposal.type));
        for (Ask ask : asks) {
            const TreePartnerProduct* terms = terms_of(world.pieces[ask.piece].line, parameters);
            if (!terms || !terms->points_value) continue;
            const auto money = [&](const Decimal& points) {
                return floor(ratio_of(points) / points_per_unit * Ratio(ask.quantity, millionths));
            };
            ask.asked = terms->points_unit == ValueUnit::points
                            ? money(*terms->points_value)
                            : round(Ratio(ask.total) * ratio_of(*terms->points_value) / 100);
            if (terms->max_payable_points) ask.asked = std::min(ask.asked, money(*terms->max_payable_points));
            ask.asked = std::min(ask.asked, ask.total);
            proposal.asks.push_back(ask);
        }
    }

    void propose_partner_accrual(Proposal& proposal, const std::vector<Ask>& asks, Parameters& parameters,
                                 const World& world) const {
        proposal.type = type_of(parameters);
        if (!earns(proposal.type)) return;
        for (const auto& [line, goods] : by_line(asks, world)) {
            const TreePartnerProduct* terms = terms_of(line, parameters);
            if (!terms || !terms->points_value) continue;
            const Ratio value = ratio_of(*terms->points_value);
            proposal.accruals.emplace_back(
                line, rounded(terms->points_unit == ValueUnit::points
                                  ? value * ten_to(scale_of(proposal.type)) * Ratio(goods.second, millionths)
                                  : Ratio(goods.first) * value / 100 * points_per_money(proposal.type),
                              proposal.type));
        }
    }

    // --- Texts ---

    static void propose_text(Proposal& proposal, const std::vector<Ask>& asks, const World& world) {
        if (proposal.order_level) {
            proposal.texts.push_back(the_order);
            return;
        }
        for (const auto& [line, goods] : by_line(asks, world)) proposal.texts.push_back(line);
    }

    // --- Discounts and points ---

    void propose_discount(Proposal& proposal, std::vector<Ask> asks, Parameters& parameters, const World& world,
                          const Taken& taken) const {
        const auto percent = parameters.percent("percent");
        const auto amount = parameters.amount("amount", tree_.currency_scale);
        const auto price = parameters.amount("price", price_scale());
        if (const auto per = parameters.choice("per", {"unit", "line", "order"}); !proposal.order_level && per > 0) {
            ask_amount(proposal, asks, *amount, per == 1, world);
            return;
        }
        if (!proposal.order_level) {
            for (Ask& ask : asks) {
                ask.asked =
                    percent ? round(Ratio(ask.total) * Ratio(percent->numerator, percent->denominator))
                    : price ? std::max<Int>(0, ask.total - round(money_of(*price) * Ratio(ask.quantity, millionths)))
                            : std::min(ask.total, round(Ratio(*amount) * Ratio(ask.quantity, millionths)));
            }
            proposal.asks = asks;
            return;
        }
        proposal.amount = amount.has_value();
        const auto target = parameters.choice("target", {"goods", "shipping", "order"});
        if (target == 1) asks.clear();
        const Int shipping = target == 0 || taken.shipping ? 0 : world.shipping;
        propose_on_order(proposal, asks, shipping, [&](Int base) {
            return percent ? round(Ratio(base) * Ratio(percent->numerator, percent->denominator))
                           : std::min(base, *amount);
        });
    }

    template <class Reduction>
    static void propose_on_order(Proposal& proposal, std::vector<Ask> asks, Int shipping, Reduction reduction) {
        std::vector<Int> totals;
        for (const Ask& ask : asks) totals.push_back(ask.total);
        totals.push_back(shipping);
        const Int all = reduction(std::accumulate(totals.begin(), totals.end(), Int{0}));
        auto shares = oracle::allot(std::abs(all), totals);
        for (Int& share : shares) share = all < 0 ? -share : share;
        for (std::size_t i = 0; i < asks.size(); ++i) asks[i].asked = shares[i];
        proposal.asks = std::move(asks);
        proposal.shipping = shares.back();
        proposal.shipping_base = shipping;
    }

    void propose_points_discount(Proposal& proposal, std::vector<Ask> asks, Parameters& parameters,
                                 const World& world) const {
        proposal.type = type_of(parameters);
        if (budget_left(world, proposal.type) <= 0) return;
        const auto percent = parameters.percent("percent");
        const auto amount = parameters.amount("amount", tree_.currency_scale);
        const auto points = parameters.amount("points", scale_of(proposal.type));
        const auto reduction = [&](Int total, const Ratio& units) {
            if (percent) return round(Ratio(total) * Ratio(percent->numerator, percent->denominator));
            if (amount) return std::min(total, round(Ratio(*amount) * units));
            return std::min(total, floor(Ratio(*points) / points_per_money(proposal.type) * units));
        };
        if (proposal.order_level) {
            proposal.amount = points.has_value();
            propose_on_order(proposal, asks, 0, [&](Int base) { return reduction(base, 1); });
            return;
        }
        if (const auto per = parameters.choice("per", {"unit", "line", "order"}); per > 0) {
            const Int all = amount ? *amount : floor(Ratio(*points) / points_per_money(proposal.type));
            ask_amount(proposal, asks, all, per == 1, world);
            return;
        }
        for (Ask& ask : asks) ask.asked = reduction(ask.total, {ask.quantity, millionths});
        proposal.asks = asks;
    }

    bool earns(int type) const { return order_.buyer.kind == BuyerKind::member && balance(type).usable; }

    // Total and quantity of each line.
    static std::map<int, std::pair<Int, Int>> by_line(const std::vector<Ask>& asks, const World& world) {
        std::map<int, std::pair<Int, Int>> lines;
        for (const Ask& ask : asks) {
            lines[world.pieces[ask.piece].line].first += ask.total;
            lines[world.pieces[ask.piece].line].second += ask.quantity;
        }
        return lines;
    }

    // Points of an order over the lines they are based on.
    static void attribute(Proposal& proposal, Int points, const std::vector<Ask>& asks, const World& world) {
        const auto lines = by_line(asks, world);
        std::vector<Int> totals;
        for (const auto& [line, goods] : lines) totals.push_back(goods.first);
        if (std::accumulate(totals.begin(), totals.end(), Int{0}) == 0) {
            proposal.accruals.emplace_back(the_order, points);
            return;
        }
        const auto shares = oracle::allot(points, totals);
        std::size_t i = 0;
        for (const auto& [line, goods] : lines) proposal.accruals.emplace_back(line, shares[i++]);
    }

    void propose_multiplied(Proposal& proposal, const std::vector<Ask>& asks, Parameters& parameters,
                            const World& world) const {
        proposal.type = type_of(parameters);
        if (!earns(proposal.type)) return;
        std::map<int, Int> lines;
        for (const auto& [line, goods] : by_line(asks, world)) lines[line] = 0;
        const bool all = proposal.order_level && !parameters.has("segments");
        Int of_order = 0;
        for (const auto& [type, line, points] : world.earned) {
            if (type != proposal.type) continue;
            if (line == the_order && all) of_order += points;
            if (lines.contains(line)) lines[line] += points;
        }
        std::vector<Int> earned;
        for (const auto& [line, points] : lines) earned.push_back(points);
        earned.push_back(of_order);
        const Fraction factor = *parameters.factor("factor");
        const Int sum = std::accumulate(earned.begin(), earned.end(), Int{0});
        if (sum == 0) return;
        const Ratio extra = Ratio(sum) * Ratio(factor.numerator - factor.denominator, factor.denominator);
        const auto shares = oracle::allot(rounded(extra, proposal.type), earned);
        std::size_t i = 0;
        for (const auto& [line, points] : lines) proposal.accruals.emplace_back(line, shares[i++]);
        proposal.accruals.emplace_back(the_order, shares[i]);
    }

    // Each unit of money earns by the step that it lies in.
    void propose_marginal(Proposal& proposal, const std::vector<Ask>& asks, Parameters& parameters,
                          const World& world) const {
        proposal.type = type_of(parameters);
        if (!earns(proposal.type) || asks.empty()) return;
        Int price = 0;
        for (const Ask& ask : asks) price += ask.total;
        auto steps = parameters.steps();
        if (price < money_units(steps.front().from)) return;
        Ratio earned = 0;
        for (std::size_t i = 0; i < steps.size(); ++i) {
            const Int from = std::min(price, money_units(steps[i].from));
            const Int to = i + 1 < steps.size() ? std::min(price, money_units(steps[i + 1].from)) : price;
            const Fraction share = *steps[i].parameters.percent("percent", 100'000);
            const Ratio band = Ratio(to - from) * Ratio(share.numerator, share.denominator);
            earned = Ratio(earned.top * band.bottom + band.top * earned.bottom, earned.bottom * band.bottom);
        }
        attribute(proposal, rounded(earned * points_per_money(proposal.type), proposal.type), asks, world);
    }

    static void note_earned(World& world, const Effects& effects) {
        for (const Effect& effect : effects) {
            if (effect.accrual) world.earned.emplace_back(effect.type, effect.target, effect.points);
        }
    }

    void propose_accrual_from_field(Proposal& proposal, const std::vector<Ask>& asks, Parameters& parameters,
                                    const World& world) const {
        proposal.type = type_of(parameters);
        if (!earns(proposal.type)) return;
        if (!parameters.has("field")) {
            Int spent = 0;
            for (const Ask& ask : asks) spent += ask.total;
            const Int times = spent / *parameters.amount("per_amount", tree_.currency_scale);
            attribute(proposal, times * *parameters.amount("points", scale_of(proposal.type)), asks, world);
            return;
        }
        for (const auto& [line, goods] : by_line(asks, world)) {
            const auto field = field_of(line, parameters);
            if (!field) continue;
            proposal.accruals.emplace_back(
                line,
                rounded(*field * ten_to(scale_of(proposal.type)) * Ratio(goods.second, millionths), proposal.type));
        }
    }

    // So many for each unit, or for the order as a whole: then by the price of its lines, if they have any.
    void propose_deduction(Proposal& proposal, Level level, const std::vector<Ask>& asks, Parameters& parameters,
                           const World& world) const {
        proposal.type = type_of(parameters);
        proposal.deducts = true;
        if (!earns(proposal.type) || balance(proposal.type).active.units <= 0) return;
        const auto lines = by_line(asks, world);
        Int goods = 0, units = 0;
        for (const auto& [line, sums] : lines) goods += sums.first, units += sums.second;
        std::vector<Int> weights;
        for (const auto& [line, sums] : lines)
            weights.push_back(level == Level::product || goods == 0 ? sums.second : sums.first);
        Ratio points(*parameters.amount("points", scale_of(proposal.type)));
        if (level == Level::product) points = points * Ratio(units, millionths);
        const auto shares = oracle::allot(rounded(points, proposal.type), weights);
        std::size_t i = 0;
        for (const auto& [line, sums] : lines) proposal.accruals.emplace_back(line, shares[i++]);
    }

    static bool is_same(const Source& a, const Source& b) {
        return a.promotion == b.promotion && a.level == b.level && a.number == b.number;
    }

    // What is left of the balance, by one benefit after the other.
    void deduct(Effects& effects, std::vector<Int>& spent) const {
        std::vector<std::vector<Effect*>> by_benefit;
        for (Effect& effect : effects) {
            if (!effect.deduction) continue;
            if (by_benefit.empty() || !is_same(by_benefit.back().front()->source, effect.source))
                by_benefit.emplace_back();
            by_benefit.back().push_back(&effect);
        }
        for (const auto& deductions : by_benefit) {
            Int& gone = spent[static_cast<std::size_t>(deductions.front()->type)];
            std::vector<Int> asked;
            for (const Effect* effect : deductions) asked.push_back(effect->points);
            const Int left = balance(deductions.front()->type).active.units - gone;
            const auto shares =
                oracle::allot(std::min(std::accumulate(asked.begin(), asked.end(), Int{0}), left), asked);
            for (std::size_t i = 0; i < shares.size(); ++i) gone += deductions[i]->points = shares[i];
        }
    }

    void propose_accrual(Proposal& proposal, const std::vector<Ask>& asks, Parameters& parameters,
                         const World& world) const {
        proposal.type = type_of(parameters);
        if (!earns(proposal.type)) return;
        const auto percent = parameters.percent("percent", 100'000);
        const auto points = parameters.amount("points", scale_of(proposal.type));
        const auto lines = by_line(asks, world);
        if (lines.empty()) return;
        if (!proposal.order_level && points) {
            std::vector<Int> quantities;
            for (const auto& [line, goods] : lines) quantities.push_back(goods.second);
            const Int units = std::accumulate(quantities.begin(), quantities.end(), Int{0});
            const auto shares =
                oracle::allot(rounded(Ratio(*points) * Ratio(units, millionths), proposal.type), quantities);
            std::size_t i = 0;
            for (const auto& [line, goods] : lines) proposal.accruals.emplace_back(line, shares[i++]);
            return;
        }
        Int sum = 0;
        for (const Ask& ask : asks) sum += ask.total;
        attribute(proposal, percent ? points_worth(sum, *percent, proposal.type) : *points, asks, world);
    }

    // --- Commit of one proposal ---

    static Effect effect_of(const Proposal& proposal, int target) {
        Effect effect;
        effect.source = proposal.source;
        effect.target = target;
        effect.order_level = proposal.order_level;
        effect.order_only = proposal.order_only;
        effect.shipping_only = proposal.shipping_only;
        effect.type = proposal.type;
        return effect;
    }

    // The proposal as it is: nothing cut.
    static Effects as_effects(const Proposal& proposal, const World& world) {
        Effects effects;
        for (const Ask& ask : proposal.asks) {
            if (ask.asked == 0) continue;
            const Piece& piece = world.pieces[ask.piece];
            Effect effect = effect_of(proposal, piece.line);
            effect.from = piece.from;
            effect.to = piece.from + ask.quantity;
            effect.asked = effect.applied = ask.asked;
            effects.push_back(effect);
        }
        if (proposal.shipping != 0) {
            Effect effect = effect_of(proposal, the_shipping);
            effect.asked = effect.applied = proposal.shipping;
            effects.push_back(effect);
        }
        for (const auto& [target, points] : proposal.accruals) {
            if (points == 0) continue;
            Effect effect = effect_of(proposal, target);
            effect.accrual = !proposal.deducts;
            effect.deduction = proposal.deducts;
            effect.points = points;
            effects.push_back(effect);
        }
        for (const int target : proposal.texts) {
            effects.push_back(effect_of(proposal, target));
            effects.back().text = true;
        }
        if (proposal.code) {
            effects.push_back(effect_of(proposal, the_order));
            effects.back().code = true;
        }
        if (proposal.given > 0) {
            effects.push_back(effect_of(proposal, the_order));
            effects.back().units = proposal.given;
            effects.back().worth = proposal.worth;
        }
        for (const int line : proposal.claims) {
            effects.push_back(effect_of(proposal, line));
            effects.back().claim = true;
        }
        return effects;
    }

    // What floors refuse of an amount goes where there is room, by the totals; nothing is said of what nobody has room
    // for.
    static void move_refused(Proposal& proposal, const std::vector<Int>& all_rooms) {
        std::set<int> purses{0};
        for (const Ask& ask : proposal.asks) purses.insert(ask.purse);
        for (const int purse : purses) move_refused(proposal, all_rooms, purse);
    }

    static void move_refused(Proposal& proposal, const std::vector<Int>& all_rooms, int purse) {
        std::vector<Int> asked, weights, rooms;
        std::vector<std::size_t> members;
        for (std::size_t i = 0; i < proposal.asks.size(); ++i) {
            if (proposal.asks[i].purse != purse) continue;
            members.push_back(i);
            asked.push_back(proposal.asks[i].asked);
            weights.push_back(proposal.asks[i].total);
            rooms.push_back(all_rooms[i]);
        }
        // The shipping shares the first one.
        asked.push_back(purse == 0 ? proposal.shipping : 0);
        weights.push_back(purse == 0 ? proposal.shipping_base : 0);
        rooms.push_back(weights.back());
        for (;;) {
            Int refused = 0;
            std::vector<Int> open;
            for (std::size_t i = 0; i < asked.size(); ++i) {
                refused += std::max<Int>(0, asked[i] - rooms[i]);
                asked[i] = std::min(asked[i], rooms[i]);
                open.push_back(asked[i] < rooms[i] ? weights[i] : 0);
            }
            if (refused == 0 || std::accumulate(open.begin(), open.end(), Int{0}) == 0) break;
            const auto more = oracle::allot(refused, open);
            for (std::size_t i = 0; i < asked.size(); ++i) asked[i] += more[i];
        }
        for (std::size_t k = 0; k < members.size(); ++k) proposal.asks[members[k]].asked = asked[k];
        if (purse == 0) proposal.shipping = asked.back();
    }

    Effects commit(Proposal proposal, const Chain& chain, World& world) const {
        std::vector<Int> rooms;
        for (const Ask& ask : proposal.asks)
            rooms.push_back(
                std::max<Int>(0, ask.total - floor_of(world.pieces[ask.piece].line, ask.quantity, chain)));
        if (proposal.amount) move_refused(proposal, rooms);
        std::vector<Int> applied, reductions;
        for (std::size_t i = 0; i < rooms.size(); ++i) {
            applied.push_back(std::min(proposal.asks[i].asked, rooms[i]));
            reductions.push_back(std::max<Int>(0, applied[i]));  // a raise gives no room back
        }
        const Int left = allowed(world, chain, proposal.type);
        const Int sum = std::accumulate(reductions.begin(), reductions.end(), Int{0});
        if (sum > left) {
            const auto shares = oracle::allot(left, reductions);
            for (std::size_t i = 0; i < rooms.size(); ++i) applied[i] = reductions[i] > 0 ? shares[i] : applied[i];
        }
        reduce_goods(world, chain, proposal.type, std::min(sum, left));

        Effects effects = as_effects(proposal, world);
        std::size_t next = 0;
        for (std::size_t i = 0; i < proposal.asks.size(); ++i) {
            if (proposal.asks[i].asked != 0) effects[next++].applied = applied[i];
        }
        for (Effect& effect : effects) {
            if (effect.target != the_shipping) continue;
            effect.applied = std::min({effect.asked, world.shipping, world.left.value_or(unlimited)});
            reduce_shipping(world, effect.applied);
        }
        const bool nothing =
            std::none_of(effects.begin(), effects.end(), [](const Effect& e) { return e.applied != 0; });
        for (const auto& [piece, units] : proposal.bought) {
            if (nothing) continue;
            const Piece& of = world.pieces[static_cast<std::size_t>(piece)];
            Effect effect;
            effect.source = proposal.source;
            effect.target = of.line;
            effect.from = of.from + units.first;
            effect.to = of.from + units.second;
            effect.bought = true;
            effects.push_back(effect);
        }
        apply(proposal.asks, applied, proposal.type < 0, world);
        Effects bought;
        for (const Effect& effect : effects) {
            if (effect.bought) bought.push_back(effect);
        }
        cut_at_borders(bought, world);
        return effects;
    }

    static void apply(const std::vector<Ask>& asks, const std::vector<Int>& applied, bool is_money, World& world) {
        std::vector<Piece> pieces;
        for (std::size_t i = 0; i < world.pieces.size(); ++i) {
            Piece piece = world.pieces[i];
            for (std::size_t k = 0; k < asks.size(); ++k) {
                if (asks[k].piece != i || applied[k] == 0) continue;
                const bool lowered = piece.lowered || (is_money && applied[k] > 0);
                if (asks[k].quantity < piece.quantity()) {
                    pieces.push_back(
                        {piece.line, piece.from, piece.from + asks[k].quantity, asks[k].total - applied[k], lowered});
                    piece.from += asks[k].quantity;
                    piece.total -= asks[k].total;
                } else {
                    piece.total -= applied[k];
                    piece.lowered = lowered;
                }
            }
            pieces.push_back(piece);
        }
        world.pieces = std::move(pieces);
    }

    // --- Commit of a sum ---

    static void cut_at_borders(const Effects& effects, World& world) {
        std::map<int, std::set<Int>> borders;
        for (const Effect& effect : effects) {
            if (effect.target >= 0 && (effect.applied != 0 || effect.bought))
                borders[effect.target].insert({effect.from, effect.to});
        }
        std::vector<Piece> pieces;
        for (const Piece& piece : world.pieces) {
            std::vector<Int> cuts{piece.from};
            for (const Int border : borders[piece.line]) {
                if (border > piece.from && border < piece.to) cuts.push_back(border);
            }
            cuts.push_back(piece.to);
            std::vector<Int> quantities;
            for (std::size_t i = 1; i < cuts.size(); ++i) quantities.push_back(cuts[i] - cuts[i - 1]);
            const auto totals = oracle::allot(piece.total, quantities);
            for (std::size_t i = 1; i < cuts.size(); ++i)
                pieces.push_back({piece.line, cuts[i - 1], cuts[i], totals[i - 1], piece.lowered});
        }
        world.pieces = std::move(pieces);
    }

    Effects commit_sum(Effects effects, const Chain& chain, World& world) const {
        cut_at_borders(effects, world);
        const auto pieces = world.pieces.size();
        // What each effect wants of each piece.
        Amounts wanted(effects.size(), std::vector<Int>(pieces, 0));
        for (std::size_t e = 0; e < effects.size(); ++e) {
            const Effect& effect = effects[e];
            if (effect.target < 0 || effect.applied == 0) continue;
            std::vector<std::size_t> covered;
            std::vector<Int> quantities;
            for (std::size_t p = 0; p < pieces; ++p) {
                const Piece& piece = world.pieces[p];
                if (piece.line != effect.target || piece.from < effect.from || piece.to > effect.to) continue;
                covered.push_back(p);
                quantities.push_back(piece.quantity());
            }
            const auto shares = oracle::allot(std::abs(effect.applied), quantities);
            for (std::size_t i = 0; i < covered.size(); ++i)
                wanted[e][covered[i]] = effect.applied < 0 ? -shares[i] : shares[i];
        }
        Amounts got(effects.size(), std::vector<Int>(pieces, 0));
        commit_sum_of(-1, effects, wanted, got, chain, world);
        for (const Redeem& redeem : order_.redeem)
            commit_sum_of(static_cast<int>(redeem.point_type), effects, wanted, got, chain, world);
        commit_sum_on_shipping(effects, world);
        return per_piece(effects, got, world);
    }

    // Each effect on goods as one effect per piece, so that a sum around this one knows which units had what.
    static Effects per_piece(const Effects& effects, const Amounts& got, const World& world) {
        Effects result;
        for (std::size_t e = 0; e < effects.size(); ++e) {
            if (effects[e].target < 0 || effects[e].is_gift()) {
                result.push_back(effects[e]);
                continue;
            }
            Effect refused = effects[e];
            refused.applied = 0;
            result.push_back(refused);
            for (std::size_t p = 0; p < world.pieces.size(); ++p) {
                if (got[e][p] == 0) continue;
                Effect effect = effects[e];
                effect.from = world.pieces[p].from;
                effect.to = world.pieces[p].to;
                effect.applied = got[e][p];
                result.push_back(effect);
            }
        }
        return result;
    }

    void commit_sum_of(int type, const Effects& effects, const Amounts& wanted, Amounts& got, const Chain& chain,
                       World& world) const {
        std::vector<std::size_t> summands;
        for (std::size_t e = 0; e < effects.size(); ++e) {
            if (effects[e].target >= 0 && !effects[e].is_gift() && effects[e].type == type) summands.push_back(e);
        }
        std::vector<Int> amounts, raises;
        for (std::size_t p = 0; p < world.pieces.size(); ++p) {
            const Piece& piece = world.pieces[p];
            Int sum = 0, raise = 0;
            for (const auto e : summands) (wanted[e][p] < 0 ? raise : sum) += std::abs(wanted[e][p]);
            const Int room = std::max<Int>(0, piece.total - floor_of(piece.line, piece.quantity(), chain));
            amounts.push_back(std::min(sum, room + raise));
            raises.push_back(raise);
        }
        const Int left = allowed(world, chain, type);
        if (std::accumulate(amounts.begin(), amounts.end(), Int{0}) > left) amounts = oracle::allot(left, amounts);
        for (std::size_t p = 0; p < world.pieces.size(); ++p) {
            if (amounts[p] == 0 && raises[p] == 0) continue;
            std::vector<Int> weights;
            for (const auto e : summands) weights.push_back(std::max<Int>(0, wanted[e][p]));
            const auto shares = oracle::allot(amounts[p], weights);
            for (std::size_t i = 0; i < summands.size(); ++i)
                got[summands[i]][p] = wanted[summands[i]][p] < 0 ? wanted[summands[i]][p] : shares[i];
            world.pieces[p].total -= amounts[p] - raises[p];
            if (type < 0 && amounts[p] > 0) world.pieces[p].lowered = true;
            reduce_goods(world, chain, type, amounts[p]);
        }
    }

    static void commit_sum_on_shipping(Effects& effects, World& world) {
        std::vector<Int> wanted;
        for (const Effect& effect : effects) wanted.push_back(effect.target == the_shipping ? effect.applied : 0);
        const Int sum = std::accumulate(wanted.begin(), wanted.end(), Int{0});
        if (sum == 0) return;
        const Int most = std::min({sum, world.shipping, world.left.value_or(unlimited)});
        const auto shares = oracle::allot(most, wanted);
        for (std::size_t e = 0; e < effects.size(); ++e) {
            if (effects[e].target == the_shipping) effects[e].applied = shares[e];
        }
        reduce_shipping(world, most);
    }

    static void reduce_shipping(World& world, Int amount) {
        world.shipping -= amount;
        if (world.left) *world.left -= std::max<Int>(0, amount);  // a raise gives no room back
    }

    // --- Nodes ---

    std::vector<Node> children_of(const TreeGroup& parent) const {
        std::vector<Node> children;
        for (const TreeGroup& group : tree_.groups) {
            if (group.parent == parent.id) children.push_back({&group, nullptr, group.position, group.id});
        }
        for (const TreePromotion& promotion : tree_.promotions) {
            if (promotion.parent == parent.id)
                children.push_back({nullptr, &promotion, promotion.position, promotion.id});
        }
        std::sort(children.begin(), children.end(),
                  [](const Node& a, const Node& b) { return std::tie(a.position, a.id) < std::tie(b.position, b.id); });
        return children;
    }

    Effects evaluate(const Node& node, const Chain& chain, World& world, const Taken& taken) const {
        const auto before = world.earned;
        if (node.group) world.earned.clear();
        const Effects effects = node.group ? evaluate_group(*node.group, chain, world, taken)
                                           : evaluate_promotion(*node.promotion, chain, world, taken);
        world.earned = before;
        note_earned(world, effects);
        return effects;
    }

    Effects evaluate_group(const TreeGroup& group, Chain chain, World& world, const Taken& taken) const {
        chain.insert(chain.begin(), &group);
        const auto& children = children_[number_of(group)];
        switch (group.arbitration) {
            case Arbitration::consistent:
                return consistent(children, chain, world, taken);
            case Arbitration::incompatibility:
                return incompatibility(children, chain, world, taken);
            case Arbitration::summation:
                return summation(children, chain, world, taken);
            case Arbitration::max_benefit:
                return group.best == Best::single_by_line ? best_by_line(children, chain, world, taken)
                                                          : max_benefit(children, chain, world, taken,
                                                                        group.best == Best::single ? 1 : 99);
        }
        return {};
    }

    // --- The best child for each unit ---

    Effects best_by_line(const std::vector<Node>& children, const Chain& chain, World& world,
                         const Taken& taken) const {
        const std::size_t outer = std::exchange(uncapped_, chain.size());
        std::vector<Effects> alone;
        for (const Node& child : children) {
            World copy = world;
            alone.push_back(evaluate(child, chain, copy, taken));
        }
        uncapped_ = outer;
        World cut = world;
        for (const Effects& effects : alone) cut_at_every_border(effects, cut);
        std::vector<std::vector<Effects>> of_piece(cut.pieces.size(), std::vector<Effects>(children.size()));
        for (std::size_t i = 0; i < children.size(); ++i) {
            for (const Effect& effect : alone[i]) lay(effect, cut, taken, of_piece, i);
        }
        std::vector<Effects> kept(children.size());
        for (const auto& candidates : of_piece) {
            std::size_t best = children.size();
            Ratio most = 0;
            for (std::size_t i = 0; i < children.size(); ++i) {
                Ratio up = 0, down = 0;
                for (const Effect& effect : candidates[i]) {
                    if (effect.applied < 0) {
                        down = Ratio(down.top * 1 - Wide{effect.applied} * down.bottom, down.bottom);
                        continue;
                    }
                    const Ratio worth = effect.accrual ? worth_of_points(effect) : Ratio(effect.applied);
                    up = Ratio(up.top * worth.bottom + worth.top * up.bottom, up.bottom * worth.bottom);
                }
                if (up.top * down.bottom <= down.top * up.bottom) continue;
                const Ratio worth = up - down;
                if (worth.top * most.bottom <= most.top * worth.bottom) continue;
                most = worth;
                best = i;
            }
            if (best < children.size()) append(kept[best], candidates[best]);
        }
        Effects all;
        for (const Effects& effects : kept) append(all, effects);
        return all.empty() ? all : commit_sum(std::move(all), chain, world);
    }

    Ratio worth_of_points(const Effect& effect) const {
        const bool counts = tree_.point_types[static_cast<std::size_t>(effect.type)].kind == PointKind::standard;
        return counts ? Ratio(effect.points) / points_per_money(effect.type) : Ratio(0);
    }

    static void cut_at_every_border(const Effects& effects, World& world) {
        Effects borders = effects;
        for (Effect& effect : borders) effect.applied = effect.is_gift() ? 0 : effect.applied;
        cut_at_borders(borders, world);
    }

    // An effect's shares of the pieces below it; points of a line lie on all of it that is free.
    static void lay(const Effect& effect, const World& world, const Taken& taken,
                    std::vector<std::vector<Effects>>& of_piece, std::size_t child) {
        std::vector<std::size_t> below;
        std::vector<Int> quantities;
        for (std::size_t p = 0; p < world.pieces.size(); ++p) {
            const Piece& piece = world.pieces[p];
            if (piece.line != effect.target) continue;
            if (effect.is_gift() ? taken.has(piece) : piece.from < effect.from || piece.to > effect.to) continue;
            below.push_back(p);
            quantities.push_back(piece.quantity());
        }
        const auto money = oracle::allot(std::abs(effect.applied), quantities);
        const auto points = oracle::allot(effect.points, quantities);
        for (std::size_t i = 0; i < below.size(); ++i) {
            Effect share = effect;
            share.from = world.pieces[below[i]].from;
            share.to = world.pieces[below[i]].to;
            share.applied = share.asked = effect.applied < 0 ? -money[i] : money[i];
            share.points = points[i];
            if (share.is_something()) of_piece[below[i]][child].push_back(share);
        }
    }

    static void append(Effects& all, const Effects& more) { all.insert(all.end(), more.begin(), more.end()); }

    Effects consistent(const std::vector<Node>& children, const Chain& chain, World& world, const Taken& taken) const {
        Effects all;
        for (const Node& child : children) append(all, evaluate(child, chain, world, taken));
        return all;
    }

    Effects incompatibility(const std::vector<Node>& children, const Chain& chain, World& world, Taken taken) const {
        Effects all;
        for (const Node& child : children) {
            const Effects effects = evaluate(child, chain, world, taken);
            std::set<const TreePromotion*> do_more;  // than to give a text or a product
            const auto goes_along = [](const Effect& effect) { return effect.text || effect.gives() || effect.claim; };
            for (const Effect& effect : effects) {
                if (effect.is_something() && !goes_along(effect)) do_more.insert(effect.source.promotion);
            }
            const auto works = [&](const Source& source) {
                return std::any_of(effects.begin(), effects.end(), [&](const Effect& other) {
                    return other.is_something() && other.source.promotion == source.promotion &&
                           other.source.level == source.level && other.source.number == source.number;
                });
            };
            for (const Effect& effect : effects) {
                if (!effect.is_something() && !effect.claim && !(effect.bought && works(effect.source))) continue;
                if (goes_along(effect) && do_more.contains(effect.source.promotion)) continue;
                if (effect.order_level && !effect.shipping_only) taken.order = true;
                if (effect.target == the_shipping) taken.shipping = true;
                if (effect.target < 0 || effect.order_only) continue;
                const Int all = order_.lines[static_cast<std::size_t>(effect.target)].quantity.units;
                taken.units[effect.target].push_back(effect.is_gift() ? std::pair{Int{0}, all}
                                                                      : std::pair{effect.from, effect.to});
            }
            append(all, effects);
        }
        return all;
    }

    Effects summation(const std::vector<Node>& children, const Chain& chain, World& world, const Taken& taken) const {
        std::vector<std::function<Effects(World&)>> summands;
        for (const Node& child : children)
            summands.push_back([&](World& copy) { return evaluate(child, chain, copy, taken); });
        return sum(summands, chain, world);
    }

    // Each works alone on the same world, and what it does there is added up.
    Effects sum(const std::vector<std::function<Effects(World&)>>& summands, const Chain& chain, World& world) const {
        Effects all;
        int with_effects = 0;
        World alone;
        for (const auto& summand : summands) {
            World copy = world;
            const Effects effects = summand(copy);
            if (effects.empty()) continue;
            ++with_effects;
            alone = std::move(copy);
            append(all, effects);
        }
        if (with_effects == 0) return all;
        if (with_effects == 1) {
            world = std::move(alone);
            return all;
        }
        return commit_sum(std::move(all), chain, world);
    }

    struct Outcome {
        World world;
        Effects effects;
        Ratio gain;  // value, moved up so that it is never negative
        Int paid;
        std::vector<int> positions;
        bool summed;
    };

    // Whether a is the better combination.
    static bool better(const Outcome& a, const Outcome& b) {
        const Wide left = a.gain.top * b.gain.bottom, right = b.gain.top * a.gain.bottom;
        if (left != right) return left > right;
        if (a.paid != b.paid) return a.paid < b.paid;
        if (a.positions.size() != b.positions.size()) return a.positions.size() < b.positions.size();
        if (a.summed != b.summed) return !a.summed;
        return a.positions < b.positions;
    }

    Effects max_benefit(const std::vector<Node>& children, const Chain& chain, World& world, const Taken& taken,
                        int most) const {
        std::optional<Outcome> best;
        for (unsigned subset = 0; subset < 1u << children.size(); ++subset) {
            if (std::popcount(subset) > most) continue;
            std::vector<Node> chosen;
            std::vector<int> positions;
            for (std::size_t i = 0; i < children.size(); ++i) {
                if (!(subset >> i & 1)) continue;
                chosen.push_back(children[i]);
                positions.push_back(static_cast<int>(i));
            }
            for (const bool summed : {false, true}) {
                if (summed && chosen.size() < 2) continue;
                if (summed && !std::all_of(chosen.begin(), chosen.end(), [&](auto& node) { return summable(node); }))
                    continue;
                Outcome outcome{world, {}, 0, 0, positions, summed};
                outcome.effects = summed ? summation(chosen, chain, outcome.world, taken)
                                         : consistent(chosen, chain, outcome.world, taken);
                outcome.gain = gain_of(outcome, world);
                for (std::size_t t = 0; t < world.paid.size(); ++t)
                    outcome.paid += outcome.world.paid[t] - world.paid[t];
                if (!best || better(outcome, *best)) best = std::move(outcome);
            }
        }
        world = std::move(best->world);
        return best->effects;
    }

    // Whether all benefits of the promotions below that the order meets can be added up.
    bool summable(const Node& node) const {
        if (node.group) {
            const auto& children = children_[number_of(*node.group)];
            return std::all_of(children.begin(), children.end(), [&](const Node& child) { return summable(child); });
        }
        if (!meets(*node.promotion)) return true;
        for (const TreeCondition& condition : node.promotion->conditions) {
            for (const TreeBenefit& benefit : condition.benefits) {
                if (!can_be_summed(benefit)) return false;
            }
        }
        return true;
    }

    bool meets(const TreePromotion& promotion) const {
        if (obstacle(promotion, order_, facts_) != Reason::none) return false;
        return std::any_of(promotion.conditions.begin(), promotion.conditions.end(), [&](const auto& condition) {
            if (condition.level == Level::order) return holds(condition, facts_);
            return has_lines(tree_, condition, order_);
        });
    }

    Ratio gain_of(const Outcome& outcome, const World& before) const {
        Ratio gain(before.total() - outcome.world.total());
        for (const Effect& effect : outcome.effects) {
            gain.top += Wide{effect.worth} * gain.bottom;
            if (!effect.accrual || tree_.point_types[static_cast<std::size_t>(effect.type)].kind != PointKind::standard)
                continue;
            const Ratio worth = Ratio(effect.points) / points_per_money(effect.type);
            gain = Ratio(gain.top * worth.bottom + worth.top * gain.bottom, gain.bottom * worth.bottom);
        }
        return gain;
    }

    Effects evaluate_promotion(const TreePromotion& promotion, const Chain& chain, World& world,
                               const Taken& taken) const {
        Effects all;
        if (obstacle(promotion, order_, facts_) != Reason::none) return all;
        const auto limits = facts_.left.find(promotion.id);
        if (limits == facts_.left.end()) return apply_benefits(promotion, chain, world, taken);
        if (limits->second.money) world.left = money_units(*limits->second.money);
        all = apply_benefits(promotion, chain, world, taken);
        world.left.reset();
        if (limits->second.points) cut_accruals(ratio_of(*limits->second.points), all);
        return all;
    }

    // Benefits in their order take what is left, in whole units of their types, each shared over its lines.
    void cut_accruals(Ratio left, Effects& effects) const {
        std::vector<std::vector<Effect*>> by_benefit;
        for (Effect& effect : effects) {
            if (!effect.accrual) continue;
            const auto key = [](const Effect& e) { return std::pair{e.source.level, e.source.number}; };
            if (by_benefit.empty() || key(*by_benefit.back().front()) != key(effect)) by_benefit.emplace_back();
            by_benefit.back().push_back(&effect);
        }
        for (const auto& accruals : by_benefit) {
            const Int one = ten_to(tree_.point_types[static_cast<std::size_t>(accruals.front()->type)].scale);
            std::vector<Int> points;
            for (const Effect* effect : accruals) points.push_back(effect->points);
            const Int earned = std::accumulate(points.begin(), points.end(), Int{0});
            const Int given = std::min(earned, floor(left * one));
            if (given < earned) points = oracle::allot(given, points);
            for (std::size_t i = 0; i < points.size(); ++i) accruals[i]->points = points[i];
            left = left - Ratio(given) / one;
        }
    }

    Effects apply_benefits(const TreePromotion& promotion, const Chain& chain, World& world, const Taken& taken) const {
        if (!comes_to_now(promotion.minimum, world, [](const Line&) { return true; })) return {};
        const std::vector<Piece> began = world.pieces;
        std::vector<std::function<Effects(World&)>> benefits;
        std::map<const TreeCondition*, Int> formed;  // sets, by condition
        for (const Level level : {Level::product, Level::order}) {
            int number = 0;
            for (const TreeCondition& condition : promotion.conditions) {
                if (condition.level != level) continue;
                std::vector<std::pair<const TreeBenefit*, Source>> in_order, gifts;
                for (const TreeBenefit& benefit : condition.benefits) {
                    const Source source{&promotion, level, number++};
                    if (level == Level::order ? !holds(condition, facts_) : !has_lines(tree_, condition, order_))
                        continue;
                    (benefit.benefit == "gift" ? gifts : in_order).emplace_back(&benefit, source);
                    if (benefit.benefit == "set") formed[&condition];
                }
                // What is given for sets comes when they are formed.
                in_order.insert(in_order.end(), gifts.begin(), gifts.end());
                for (const auto& [benefit, source] : in_order) {
                    benefits.push_back([this, benefit = benefit, source = source, &condition, &chain, &taken, &began,
                                        &formed](World& copy) {
                        const auto sets = formed.find(&condition);
                        const Proposal proposal =
                            propose(*benefit, condition, source, copy, began, taken,
                                    sets == formed.end() ? std::nullopt : std::optional(sets->second));
                        if (sets != formed.end()) sets->second += proposal.sets;
                        return commit(proposal, chain, copy);
                    });
                }
            }
        }
        if (promotion.benefit_rule == BenefitRule::parallel) return sum(benefits, chain, world);
        Effects all;
        for (const auto& benefit : benefits) {
            const Effects effects = benefit(world);
            note_earned(world, effects);
            append(all, effects);
        }
        return all;
    }

    // --- The result ---

    Result result(const World& world, Effects effects) const {
        Result result;
        result.lines.resize(order_.lines.size());
        for (const Piece& piece : world.pieces) result.lines[static_cast<std::size_t>(piece.line)].total += piece.total;
        result.shipping.total = world.shipping;
        result.total = world.total();
        result.paid = world.paid;
        result.accrued.assign(world.paid.size(), 0);
        for (std::size_t t = 0; t < world.paid.size(); ++t) {
            const int type = static_cast<int>(t);
            result.spent.push_back(spent_on(type, world.paid[t]));
        }
        deduct(effects, result.spent);
        for (const Effect& effect : effects) {
            if (!effect.is_something()) continue;
            const std::string target = effect.target == the_shipping ? "(shipping)"
                                       : effect.target == the_order
                                           ? "(order)"
                                           : order_.lines[static_cast<std::size_t>(effect.target)].id;
            EffectSum& sum =
                result.effects[{effect.source.promotion->id, effect.source.level, effect.source.number, target}];
            sum.texts += effect.text;
            sum.codes += effect.code;
            sum.given += effect.units;
            sum.worth += effect.worth;
            if (effect.text || effect.code || effect.gives()) continue;
            if (effect.deduction) {
                sum.points += effect.points;
                continue;
            }
            if (effect.accrual) {
                sum.points += effect.points;
                result.accrued[static_cast<std::size_t>(effect.type)] += effect.points;
                continue;
            }
            Figures& figures =
                effect.target == the_shipping ? result.shipping : result.lines[static_cast<std::size_t>(effect.target)];
            (effect.type < 0 ? sum.money : sum.paid) += effect.applied;
            (effect.type < 0 ? figures.discount : figures.points_discount) += effect.applied;
        }
        return result;
    }

    const Tree& tree_;
    const Order& order_;
    const Facts& facts_;
    std::vector<std::vector<Node>> children_;  // per group, in position order
    mutable Int times_ = 0;             // that the sets worked on last are formed
    mutable std::size_t uncapped_ = 0;  // how many of the outermost groups do not cap what is weighed line by line
    mutable const std::set<std::size_t>* steps_see_ = nullptr;  // the pieces of the lines of one step
    std::map<int, Int> caps_;  // points of a type that may be spent at most, after an attempt
    Int base_goods_ = 0;
};

}  // namespace

Result calculate(const Tree& tree, const Order& order, const Facts& facts) {
    return Calculator(tree, order, facts).run();
}

}  // namespace loyalty::oracle
