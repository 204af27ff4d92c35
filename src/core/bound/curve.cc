#include "core/bound/curve.hpp"

#include <utility>

namespace loyalty {

namespace {

// Beyond so many pieces two of them become one that is no less.
constexpr std::size_t most_pieces = 48;

}  // namespace

Curve::Curve(Share share, Share most) {
    if (share <= 0 || most <= 0) return;
    most_ = std::min(share, most);
    add(share, most >= share ? whole_share : std::min(whole_share, share_up(most, share)));
}

// Pieces of a width of 0 are none, and those behind the whole of the goods never met.
void Curve::add(Share slope, Share width) {
    if (slope <= 0 || width <= 0) return;
    if (!pieces_.empty() && (pieces_.back().slope <= slope || pieces_.size() >= most_pieces)) {
        pieces_.back().width += width;
        return;
    }
    pieces_.push_back({slope, width});
}

Share Curve::at(Share incoming) const {
    Share taken = 0;
    for (const auto& piece : pieces_) {
        const Share width = std::min(piece.width, incoming);
        taken += times_up(piece.slope, width);
        incoming -= width;
    }
    return std::min(taken, most_);
}

Curve Curve::at_most(Share most) const {
    Curve result;
    result.most_ = std::min(most_, most);
    for (const auto& piece : pieces_) {
        const Share taken = times_up(piece.slope, piece.width);
        if (taken > most) {
            result.add(piece.slope, std::min(piece.width, share_up(most, piece.slope)));
            break;
        }
        result.add(piece.slope, piece.width);
        most -= taken;
    }
    return result;
}

Curve Curve::then(const Curve& next) const {
    Curve result;
    std::size_t mine = 0, other = 0;
    Share incoming = whole_share, width = 0, room = 0;  // what is left of the pieces at hand
    Piece own{0, 0}, behind{0, 0};
    while (incoming > 0) {
        if (width == 0) {
            own = mine < pieces_.size() ? pieces_[mine++] : Piece{0, whole_share};
            width = own.width;
        }
        if (room == 0) {
            behind = other < next.pieces_.size() ? next.pieces_[other++] : Piece{0, whole_share};
            room = behind.width;
        }
        const Share left = whole_share - own.slope;
        Share step = std::min(width, incoming);
        // Up to where what this leaves comes to the end of the next one's piece.
        if (left > 0) step = std::min(step, std::max<Share>(1, share_up(room, left)));
        result.add(own.slope + times_up(behind.slope, left), step);
        room = std::max<Share>(0, room - times_down(step, left));
        if (left > 0 && times_down(step, left) == 0 && step < width) room = 0;
        width -= step;
        incoming -= step;
    }
    return result;
}

Curve Curve::plus(const Curve& other) const {
    std::vector<std::pair<Share, Share>> points;
    Share x = 0;
    std::vector<Share> ends{whole_share};
    for (const auto* curve : {this, &other}) {
        x = 0;
        for (const auto& piece : curve->pieces_) {
            x += piece.width;
            if (x < whole_share) ends.push_back(x);
        }
    }
    std::sort(ends.begin(), ends.end());
    for (const auto end : ends) points.emplace_back(end, std::min(end, at(end) + other.at(end)));
    // Where a sum that took all begins to take less.
    const bool takes_all = !pieces_.empty() && !other.pieces_.empty() &&
                           pieces_.front().slope + other.pieces_.front().slope >= whole_share;
    if (!takes_all) return through(points);
    for (std::size_t i = 0; i < points.size(); i++) {
        if (points[i].second == points[i].first) continue;
        // Before this end the sum left the diagonal: all up to where the line from this end back meets it.
        const Share begin = i == 0 ? 0 : points[i - 1].first;
        const Share sum_begin = i == 0 ? 0 : at(begin) + other.at(begin);
        const Share rise = points[i].second - sum_begin, run = points[i].first - begin;
        if (sum_begin > begin && rise < run) {
            const int128 way = (int128{sum_begin - begin} * run + (run - rise - 1)) / (run - rise);
            const Share meets = begin + std::min(run, static_cast<Share>(std::min<int128>(way, whole_share)));
            points.insert(points.begin() + static_cast<std::ptrdiff_t>(i), {meets, meets});
        }
        break;
    }
    return through(points);
}

Curve Curve::beside(const Curve& other) const {
    Curve result;
    std::size_t mine = 0, theirs = 0;
    while (mine < pieces_.size() || theirs < other.pieces_.size()) {
        const bool own = theirs == other.pieces_.size() ||
                         (mine < pieces_.size() && pieces_[mine].slope >= other.pieces_[theirs].slope);
        const Piece& piece = own ? pieces_[mine++] : other.pieces_[theirs++];
        result.add(piece.slope, piece.width);
    }
    return result;
}

Curve Curve::or_else(const Curve& other) const {
    std::vector<Share> ends{whole_share};
    for (const auto* curve : {this, &other}) {
        Share x = 0;
        for (const auto& piece : curve->pieces_) {
            x += piece.width;
            if (x < whole_share) ends.push_back(x);
        }
    }
    std::sort(ends.begin(), ends.end());
    std::vector<std::pair<Share, Share>> points;
    for (const auto end : ends) points.emplace_back(end, std::max(at(end), other.at(end)));
    return through(points);
}

// The lowest such curve that is nowhere below the points, which rise.
Curve Curve::through(const std::vector<std::pair<Share, Share>>& points) {
    std::vector<std::pair<Share, Share>> hull{{0, 0}};
    for (const auto& point : points) {
        const auto above = [&](const auto& a, const auto& b, const auto& c) {
            return int128{b.second - a.second} * (c.first - a.first) <=
                   int128{c.second - a.second} * (b.first - a.first);
        };
        if (point.first == hull.back().first) {
            if (point.second <= hull.back().second) continue;
            if (hull.size() > 1) hull.pop_back();
        }
        while (hull.size() > 1 && above(hull[hull.size() - 2], hull.back(), point)) hull.pop_back();
        hull.push_back(point);
    }
    Curve result;
    for (std::size_t i = 1; i < hull.size(); i++) {
        const Share width = hull[i].first - hull[i - 1].first;
        result.add(std::min(whole_share, share_up(hull[i].second - hull[i - 1].second, width)), width);
    }
    return result;
}

}  // namespace loyalty
