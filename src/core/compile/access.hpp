// For whom, when and where a promotion is, and what its conditions are found by.
#pragma once

#include "core/program/program.hpp"
#include "core/program/tree.hpp"

#include <map>
#include <string>

namespace loyalty {

// The places of segments in their list, by their ids.
using SegmentPlaces = std::map<std::string, Index>;

SegmentPlaces places_of_segments(const std::vector<Segment>& segments);

// Error LY302, which names the promotion, where there is no such segment; noun: what it is called.
Index find_segment(const SegmentPlaces& segments, const std::string& id, const std::string& promotion,
                   const std::string& noun);

struct AccessPlaces {
    SegmentPlaces order_segments, profile_segments;
};

// Sets audience, gates, dates, schedule and limits. Error LY302 for what is unknown, or cannot be.
void compile_access(const TreePromotion& from, const AccessPlaces& places, Program& program, Promotion& to);

// Hangs a condition where few orders come by: an order that lacks the key cannot fulfil it.
void index_condition(const Promotion& promotion, const Condition& condition, Index index, Program& program);

}  // namespace loyalty
