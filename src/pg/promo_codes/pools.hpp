// Promo-code pools, for the verbs that make and attach codes.
#pragma once

#include <optional>
#include <string>

#include "pg/server/values.hpp"

namespace loyalty::pg {

struct PromoCodePool {
    std::string program, id, kind;
    TimestampTz valid_from = DT_NOBEGIN, valid_until = DT_NOEND;
    std::optional<std::string> mailing_name;  // its column template

    bool is_personal() const { return kind == "personal"; }
};

// Errors: LY201 (no such program), LY630 (no such pool).
PromoCodePool find_pool(const std::string& program, const std::string& pool);

// Error LY632 unless codes of the pool may be made, attached and issued now.
void check_validity(const PromoCodePool& pool);

}  // namespace loyalty::pg
