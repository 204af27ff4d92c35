// The trees that an order can be calculated with: the version in force, an older one, or the draft.
#pragma once

#include <optional>
#include <string>

#include "pg/promotions/cache.hpp"

namespace loyalty::pg {

// Which tree.
struct Edition {
    enum class Kind { in_force, version, draft };
    Kind kind = Kind::in_force;
    std::int32_t version = 0;
    bool with_drafts = false;  // of the draft: promotions that are still drafts take part as if they were active

    static Edition in_force() { return {}; }
    // Promotions that have ended since work in it, for an old order had them.
    static Edition number(std::int32_t version) { return {Kind::version, version}; }
    // A promotion that starts on activation counts as started at any time: it is tried on past orders.
    static Edition draft(bool with_drafts = false) { return {Kind::draft, 0, with_drafts}; }
};

// A draft has no number.
inline constexpr std::int32_t draft_version = -1;

// As current_program(), with the tree of the edition. Errors: as there; LY320 (no such version), LY301, LY302 (a draft
// that cannot be applied).
CurrentProgram find_program(const std::optional<std::string>& id, const Edition& edition);

}  // namespace loyalty::pg
