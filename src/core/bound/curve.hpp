// The most that a node can take off goods, by how much is left of them when it begins, both as shares of the base
// prices: from (0, 0) on pieces that become flatter and flatter, and flat at last. So what is left never falls where
// more comes in, and curves can be put behind each other, added, and shared out among goods.
#pragma once

#include "core/bound/share.hpp"

#include <vector>

namespace loyalty {

class Curve {
public:
    // Nothing.
    Curve() = default;
    // `share` of what comes in, at most `most`.
    Curve(Share share, Share most);

    Share at(Share incoming) const;
    bool is_nothing() const { return pieces_.empty(); }

    Curve at_most(Share most) const;
    // `next` takes from what this leaves.
    Curve then(const Curve& next) const;
    // Both take from what comes in, at most all of it.
    Curve plus(const Curve& other) const;
    // The goods are shared out between the two in the best way.
    Curve beside(const Curve& other) const;
    // One of the two.
    Curve or_else(const Curve& other) const;

private:
    struct Piece {
        Share slope;
        Share width;
    };

    void add(Share slope, Share width);
    static Curve through(const std::vector<std::pair<Share, Share>>& points);

    std::vector<Piece> pieces_;  // slopes fall
    Share most_ = whole_share;   // at the end, exactly
};

}  // namespace loyalty
