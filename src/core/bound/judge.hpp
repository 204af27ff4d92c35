// The bounds of nodes in one world, for orders whose goods come to an amount: by line, by order, and of points.
#pragma once

#include "core/bound/curve.hpp"
#include "core/bound/promises.hpp"

namespace loyalty {

// Goods that come to at least `low`, of which promotions that ask for up to `high` take part.
struct Range {
    std::int64_t low = 0;
    std::int64_t high = 0;
};

// What points earned are worth at most: a share of the goods, and an amount as a share of them.
struct Gain {
    Share share = 0;
    Share amount = 0;
    bool without_end = false;

    Gain& operator+=(const Gain& other);
};

class Judge {
public:
    Judge(const Promises& promises, const World& world, const Range& range);

    // What a node takes off the whole order's goods.
    Curve curve(const Child& node) const { return curve(node, floors_above(node)); }
    // What it takes at most off a line of full price, of a kind of products, or of any.
    Share off_line(const Child& node, std::uint32_t kind) const;
    Share off_line(const Child& node) const;
    // What the points are worth that it gives for products of a kind.
    Gain gain(const Child& node, std::uint32_t kind) const { return gain(node, kind, {}); }
    bool raises_prices() const;
    // What a promise comes to here, of the price of what it sees.
    bool is_here(const Promise& promise, std::int64_t from) const;

private:
    // What the groups around leave of a unit: a share of its base price, and an amount.
    struct Floors {
        Share share = 0;
        UnitPrice amount;
    };
    // A price as a share of the base price: the lowest there may be, and the lowest that no reduction has lowered,
    // though points may have paid a part of it; nothing where there can be none.
    struct LineState {
        Share left = whole_share;
        std::optional<Share> untouched = whole_share;
    };

    Floors floors_above(const Child& node) const;
    Floors within(const Group& group, Floors floors) const;
    bool is_here(Index promotion) const { return here_[promotion]; }
    Share share_of(const Promise& promise, const Floors& floors) const;
    Share of_goods(std::int64_t amount, std::int64_t from) const;
    std::int64_t from_of(Index benefit) const;

    Curve curve(const Child& node, Floors floors) const;
    Curve curve_of_promotion(Index promotion, const Floors& floors) const;
    Curve curve_of_benefit(Index benefit, const Floors& floors) const;
    Curve curve_of_max_benefit(const Group& group, const Floors& floors) const;

    LineState line(const Child& node, std::uint32_t kind, LineState state, Floors floors, bool summable) const;
    LineState line_of_promotion(Index promotion, std::uint32_t kind, LineState state, const Floors& floors,
                                bool summable) const;
    LineState line_of_sum(const Group& group, std::uint32_t kind, LineState state, const Floors& floors,
                          bool summable) const;
    LineState line_in_order(const Group& group, std::uint32_t kind, LineState state, const Floors& floors,
                            bool summable) const;
    LineState line_of_chosen(const Group& group, std::uint32_t kind, LineState state, const Floors& floors,
                             bool summable) const;
    LineState line_of_winner(const Group& group, std::uint32_t kind, LineState state, const Floors& floors,
                             bool summable) const;
    LineState line_of_one(const Group& group, std::uint32_t kind, LineState state, const Floors& floors,
                          bool summable) const;
    Share left_by(Index benefit, Share left, const Floors& floors) const;
    bool applies(Index benefit, std::uint32_t kind) const;
    bool is_summable(Index promotion) const;
    bool has_floors(const Child& node) const;
    // How many of a group's children can be met, one after the other, where each takes what it touches.
    std::size_t reachable(const Group& group) const;
    // Whether it is sure that it takes each unit, or that it lowers each.
    enum class Sure { taken, lowered };
    bool is_sure(const Child& node, Sure of) const;
    bool is_sure_of_promotion(Index promotion) const;
    bool takes_the_order(const Child& first, const Group& group) const;
    bool is_sure_of(Index promotion, Level level) const;

    // `before`: what stands before it in its group may have given, and it may multiply.
    Gain gain(const Child& node, std::uint32_t kind, const Gain& before) const;
    Gain gain_of_promotion(Index promotion, std::uint32_t kind, const Gain& before) const;
    void add_gain(Index condition, std::uint32_t kind, const Gain& before, Gain& all) const;
    Gain gain_of_benefit(Index benefit, std::uint32_t kind, const Gain& before) const;

    const Promises& promises_;
    const Program& program_;
    const World& world_;
    Range range_;
    std::vector<bool> here_;
};

}  // namespace loyalty
