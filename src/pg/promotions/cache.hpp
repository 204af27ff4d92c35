// What a backend keeps of each program between calls: the market as it is now, and the compiled version in force.
//
// Both are dropped by relcache invalidations that statement triggers on the tables send; these reach sessions on a
// standby too. Two traps (measured) shape the loading: an entry is marked valid *before* it is loaded, so that an
// invalidation that arrives meanwhile is not lost; and it is loaded under the latest snapshot, since an old one
// (REPEATABLE READ, a long statement) would leave a stale entry marked valid. And a third: a transaction is visible
// before its invalidations are sent, so while one that changes versions has not finished entirely, the version kept is
// compared with the table. Promotions that were ended or paused are left out of the version when it is loaded, for that
// takes effect at once.
//
// A statement uses one version, whatever is applied while it runs: what it found first is pinned to it.
#pragma once

#include "core/order/resolve.hpp"
#include "core/program/program.hpp"
#include "core/program/tree.hpp"

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "pg/members/profile.hpp"
#include "pg/server/spi.hpp"

namespace loyalty::pg {

// Whether points of a type may be earned and spent, as it is now.
struct PointTypeState {
    bool active = false;
    TimestampTz deactivates_at = DT_NOEND;

    bool usable(TimestampTz now) const { return active && now < deactivates_at; }
};

// A program's market, and where its profiles are.
struct LiveProgram {
    Market market;
    std::unordered_map<std::string, PointTypeState> point_types;
    ProfileSource profiles;
    bool judges_dynamic = false;    // it has tiers with predicates
};

// Where a version's product segments are found from what the catalogue says of a product.
struct SegmentIndex {
    std::unordered_multimap<std::int32_t, std::uint32_t> of_predicate;
    std::unordered_map<std::string, std::uint32_t> static_ones;
    // The dynamic ones, and those of them that may depend on a line's own price, minimum price or fields.
    std::vector<std::uint32_t> dynamic, reading_price, reading_min_price, reading_fields;

    explicit SegmentIndex(const std::vector<Segment>& segments = {});
};

// Whether a segment's predicate may look at a member of its document. Yes may be said in vain.
bool reads_member(const Segment& segment, std::string_view key);

// What a version's order and profile segments are judged by; what none of them reads is not looked up.
struct DocumentNeeds {
    bool profile = false;           // the profile's row
    bool profile_segments = false;  // whether any of them is named at all
    bool tiers = false;
    bool order = false;        // the order's document, …
    bool order_lines = false;  // … its lines in it, …
    bool order_lists = false;  // … the static order segments that it is listed in, …
    bool goods_by_segment = false;  // … what its lines in each product segment come to, …
    bool orders_before = false;  // … and what the buyer has ordered before

    explicit DocumentNeeds(const Program& program);
    DocumentNeeds() = default;
};

// A promotion that was ended or paused, whatever the version says.
struct StoppedPromotion {
    std::string id;
    PromotionState state = PromotionState::ended;

    friend bool operator==(const StoppedPromotion&, const StoppedPromotion&) = default;
};

struct AppliedVersion {
    Program program;
    SegmentIndex segments;
    // jsonpath, per segment of the program; 0 for static ones.
    std::vector<Datum> predicates, order_predicates, profile_predicates;
    DocumentNeeds needs;
    // Whether the segment memberships of stored products are kept up for it: those of the version in force and the
    // draft.
    bool materialised = true;
    TransactionId applied_by = InvalidTransactionId;
    std::vector<StoppedPromotion> stopped;  // when it was loaded
    MemoryContext memory = nullptr;

    AppliedVersion() = default;
    AppliedVersion(const AppliedVersion&) = delete;
    AppliedVersion& operator=(const AppliedVersion&) = delete;
    ~AppliedVersion();

    // Whether the active snapshot sees it; an older snapshot does not see the segment memberships made for it either.
    bool visible() const;
};

// Compiles a tree; version 0 is that of a program to which nothing was applied yet, whose quotes give base prices.
std::shared_ptr<AppliedVersion> make_version(const Tree& tree, std::int32_t number);
Tree empty_tree(const Market& market);

struct CurrentProgram {
    std::shared_ptr<const LiveProgram> live;
    std::shared_ptr<const AppliedVersion> version;
};

// The program `id`, or the only active one; needs a connection to SPI and the schema owner's rights. Errors: LY001 and
// LY002 (schema), LY201 (no such program, or not exactly one active).
CurrentProgram current_program(const std::optional<std::string>& id);

}  // namespace loyalty::pg
