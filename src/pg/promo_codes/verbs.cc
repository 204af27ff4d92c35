// Attaching promo codes to profiles, detaching them, and using them without an order.
#include "pg/members/profile.hpp"
#include "pg/members/visible.hpp"
#include "pg/promo_codes/verbs.hpp"
#include "pg/promotions/cache.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/owner.hpp"

extern "C" {
#include "catalog/pg_class.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"
}

namespace loyalty::pg {

namespace {

// A code with what its pool says, locked.
struct PromoCode {
    std::string code;
    PromoCodePool pool;
    std::optional<std::string> profile;
    std::int32_t uses = 0;
    std::optional<std::int32_t> max_uses, max_uses_per_member;
    TimestampTz expires_at = DT_NOEND;
};

PromoCode lock_code(const std::string& program, const std::string& code) {
    static Query query(
        "SELECT c.code, c.pool::text, p.kind,"
        "       loyalty_internal.moment_or_day(p.valid_from, p.starts_on, g.time_zone),"
        "       loyalty_internal.moment_or_day(p.valid_until, p.ends_on + 1, g.time_zone), p.template, c.profile,"
        "           c.uses,"
        "       coalesce(p.max_uses, CASE p.kind WHEN 'personal' THEN 1 END), p.max_uses_per_member, c.expires_at"
        "  FROM loyalty.promo_codes c"
        "  JOIN loyalty.promo_code_pools p ON p.program = c.program AND p.external_id = c.pool"
        "  JOIN loyalty.programs g ON g.external_id = p.program"
        " WHERE c.code = upper(btrim($2)) AND c.program = $1 FOR NO KEY UPDATE OF c",
        {TEXTOID, TEXTOID});
    const Rows rows = query.run({text_argument(program), text_argument(code)}, true);
    if (rows.size() == 0) {
        throw Error(sqlstate::unknown_promo_code,
                    "promo code \"" + code + "\" of program \"" + program + "\" does not exist", {},
                    "See loyalty.promo_code_states.");
    }
    ColumnsInTurn column(rows);
    return {column.text(),
            {program, column.text(), column.text(), column.timestamp(), column.timestamp(), column.optional_text()},
            column.optional_text(),
            column.integer(),
            column.optional_integer(),
            column.optional_integer(),
            column.timestamp()};
}

[[noreturn]] void fail_other_profile(const PromoCode& code) {
    throw Error(sqlstate::promo_code_of_another, "promo code \"" + code.code + "\" is not attached to this profile", {},
                "A code of a personal pool works for the profile that it is attached to.");
}

void check_expiry(const PromoCode& code) {
    if (now() < code.expires_at) return;
    throw Error(
        sqlstate::promo_code_expired, "promo code \"" + code.code + "\" has expired",
        std::string("It could be used until ") + postgres([&] { return timestamptz_to_str(code.expires_at); }) + ".");
}

// The profile's key as the profile database writes it; that is read with the caller's rights.
std::string profile_key(const std::string& program, const std::string& given, Oid caller) {
    static Query bundled("SELECT key FROM loyalty.profiles WHERE key = $1", {TEXTOID});
    const LiveProgram& live = *current_program(program).live;
    std::optional<std::string> key;
    if (!live.profiles.bundled) {
        key = find_profile(live.profiles, given, caller);
    } else if (const Rows rows = bundled.run({text_argument(given)}); rows.size() > 0) {
        key = given;
    }
    if (key) return *key;
    throw Error(sqlstate::unknown_profile, "\"" + given + "\" is not in the profile database",
                "Its profile database is \"" + live.market.profile_database + "\".", "Give the key of a profile.");
}

void write_event(const char* type, const PromoCode& code, const std::string& profile) {
    static Query query(
        "INSERT INTO loyalty.events (program, type, profile, data)"
        " VALUES ($1, $2, $3, jsonb_strip_nulls(jsonb_build_object('promo_code', $4, 'pool', $5, 'template', $6)))",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID});
    query.run({text_argument(code.pool.program), text_argument(type), text_argument(profile), text_argument(code.code),
               text_argument(code.pool.id), optional_text_argument(code.pool.mailing_name)},
              true);
}

// ---------------------------------------------------------------------------------------------------------------------
// Attaching

// Its own date stays, where that comes before the one that the pool's validity of codes gives, which counts like
// points'.
void attach(const PromoCode& code, const std::string& profile, const std::optional<std::string>& order_id = {}) {
    static Query query(
        "UPDATE loyalty.promo_codes c SET profile = $3, attached_at = $4, order_id = $5,"
        "    expires_at_if_free = c.expires_at,"
        "       expires_at = least(c.expires_at,"
        "           (date_trunc('day', $4 AT TIME ZONE g.time_zone)"
        "            + p.code_validity_count * ('1 ' || p.code_validity_unit)::interval + interval '1 day') AT TIME"
        "                ZONE g.time_zone)"
        "  FROM loyalty.promo_code_pools p JOIN loyalty.programs g ON g.external_id = p.program"
        " WHERE c.code = $2 AND c.program = $1 AND p.program = $1 AND p.external_id = c.pool",
        {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID});
    query.run({text_argument(code.pool.program), text_argument(code.code), text_argument(profile),
               timestamp_argument(now()), optional_text_argument(order_id)},
              true);
}

std::string attach_given(const PromoCodePool& pool, const std::string& profile, const std::string& given) {
    const PromoCode code = lock_code(pool.program, given);
    if (code.pool.id != pool.id) {
        throw Error(sqlstate::unknown_promo_code, "promo code \"" + code.code + "\" is not of pool \"" + pool.id + "\"",
                    "It is of pool \"" + code.pool.id + "\".");
    }
    if (code.profile == profile) return code.code;
    if (code.profile) fail_other_profile(code);
    check_validity(pool);
    check_expiry(code);
    attach(code, profile);
    write_event("promo_code_issued", code, profile);
    return code.code;
}

// One who asks twice at once gets one code: the second waits here for the first to end.
void lock_profile(const PromoCodePool& pool, const std::string& profile) {
    const std::string name = pool.program + '\0' + pool.id + '\0' + profile;
    const char* bytes = name.data();
    const int size = static_cast<int>(name.size());
    postgres([=] {
        LOCKTAG tag;
        SET_LOCKTAG_OBJECT(tag, MyDatabaseId, RelationRelationId,
                           get_relname_relid("promo_codes", get_namespace_oid("loyalty", false)),
                           hash_bytes(reinterpret_cast<const unsigned char*>(bytes), size) & 0xffff);
        LockAcquire(&tag, ExclusiveLock, false, false);
    });
}

// A code that nobody has, locked; those that others are about to take are passed over.
std::optional<PromoCode> lock_free_code(const PromoCodePool& pool) {
    static Query query(
        "SELECT code FROM loyalty.promo_codes WHERE program = $1 AND pool = $2 AND profile IS NULL AND expires_at > $3"
        " ORDER BY program, pool, code LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED",
        {TEXTOID, TEXTOID, TIMESTAMPTZOID});
    const Rows rows = query.run({text_argument(pool.program), text_argument(pool.id), timestamp_argument(now())}, true);
    if (rows.size() == 0) return std::nullopt;
    return lock_code(pool.program, rows.text(0, 1));
}

std::string attach_any(const PromoCodePool& pool, const std::string& profile) {
    static Query own(
        "SELECT code FROM loyalty.promo_codes"
        " WHERE profile = $3 AND program = $1 AND pool = $2 AND uses = 0 AND expires_at > $4"
        "     ORDER BY attached_at, code LIMIT 1",
        {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID});
    const Argument program = text_argument(pool.program), id = text_argument(pool.id), at = timestamp_argument(now());
    lock_profile(pool, profile);
    {
        const LatestSnapshot latest;
        if (const Rows rows = own.run({program, id, text_argument(profile), at}); rows.size() > 0)
            return rows.text(0, 1);
    }
    check_validity(pool);
    const auto code = lock_free_code(pool);
    if (!code) {
        throw Error(sqlstate::no_free_promo_code, "promo-code pool \"" + pool.id + "\" has no free code", {},
                    "Make some with loyalty_generate_promo_codes().");
    }
    attach(*code, profile);
    write_event("promo_code_issued", *code, profile);
    return code->code;
}

bool detach(const PromoCode& code) {
    static Query query(
        "UPDATE loyalty.promo_codes SET profile = NULL, attached_at = NULL, order_id = NULL,"
        "       expires_at = coalesce(expires_at_if_free, expires_at), expires_at_if_free = NULL"
        " WHERE code = $2 AND program = $1",
        {TEXTOID, TEXTOID});
    if (!code.profile) return false;
    if (code.uses > 0)
        throw Error(sqlstate::promo_code_used, "promo code \"" + code.code + "\" is used and stays attached");
    query.run({text_argument(code.pool.program), text_argument(code.code)}, true);
    return true;
}

// ---------------------------------------------------------------------------------------------------------------------
// Using

// Uses of the code by one buyer that count.
std::int32_t uses_of(const PromoCode& code, const std::string& buyer) {
    static Query query(
        "SELECT count(*)::integer FROM loyalty.promo_code_uses"
        " WHERE buyer = $1 AND program = $2 AND code = $3 AND freed_at IS NULL",
        {TEXTOID, TEXTOID, TEXTOID});
    const LatestSnapshot latest;
    return query.run({text_argument(buyer), text_argument(code.pool.program), text_argument(code.code)}).integer(0, 1);
}

void check_usable(const PromoCode& code, const std::string& profile, const std::string& buyer) {
    if (code.pool.is_personal()) {
        if (code.profile != profile) fail_other_profile(code);
    } else {
        check_validity(code.pool);
    }
    check_expiry(code);
    const bool all_used = code.max_uses && code.uses >= *code.max_uses;
    if (!all_used && !(code.max_uses_per_member && uses_of(code, buyer) >= *code.max_uses_per_member)) return;
    throw Error(sqlstate::promo_code_used_up, "promo code \"" + code.code + "\" is used up",
                all_used ? "It was used " + std::to_string(code.uses) + " times."
                         : "This profile used it " + std::to_string(*code.max_uses_per_member) + " times.");
}

// Whether this use was made before, under the same external id.
bool is_repeated(const PromoCode& code, const std::string& buyer, const std::string& external_id) {
    static Query query(
        "SELECT code = $4 FROM loyalty.promo_code_uses WHERE buyer = $1 AND program = $2 AND external_id = $3",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID});
    const LatestSnapshot latest;
    const Rows rows = query.run(
        {text_argument(buyer), text_argument(code.pool.program), text_argument(external_id), text_argument(code.code)});
    if (rows.size() == 0) return false;
    if (rows.boolean(0, 1)) return true;
    throw Error(sqlstate::external_id_taken, "external id \"" + external_id + "\" was used for another promo code", {},
                "Give each use an id of its own.");
}

void use(const PromoCode& code, const std::string& buyer, const std::optional<std::string>& external_id) {
    static Query record(
        "INSERT INTO loyalty.promo_code_uses (buyer, program, code, id, external_id, used_at)"
        "    VALUES ($1, $2, $3, $4, $5, $6)",
        {TEXTOID, TEXTOID, TEXTOID, UUIDOID, TEXTOID, TIMESTAMPTZOID});
    static Query count("UPDATE loyalty.promo_codes SET uses = uses + 1 WHERE code = $2 AND program = $1",
                       {TEXTOID, TEXTOID});
    record.run({text_argument(buyer), text_argument(code.pool.program), text_argument(code.code),
                uuid_argument(make_uuid()), optional_text_argument(external_id), timestamp_argument(now())},
               true);
    count.run({text_argument(code.pool.program), text_argument(code.code)}, true);
}

}  // namespace

std::optional<std::string> issue_promo_code(const PromoCodePool& pool, const std::string& profile,
                                            const std::string& order_id) {
    if (!pool.is_personal() || now() < pool.valid_from || now() >= pool.valid_until) return std::nullopt;
    const auto code = lock_free_code(pool);
    if (!code) return std::nullopt;
    attach(*code, profile, order_id);
    return code->code;
}

std::optional<std::string> give_promo_code(const PromoCodePool& pool, const std::string& profile) {
    if (!pool.is_personal() || now() < pool.valid_from || now() >= pool.valid_until) return std::nullopt;
    const auto code = lock_free_code(pool);
    if (!code) return std::nullopt;
    attach(*code, profile);
    write_event("promo_code_issued", *code, profile);
    return code->code;
}

}  // namespace loyalty::pg

extern "C" {

PG_FUNCTION_INFO_V1(loyalty_attach_promo_code);
Datum loyalty_attach_promo_code(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const std::string program = given.required(0, "program");
        const MemoryContext result = CurrentMemoryContext;
        const Oid caller = GetUserId();
        const AsOwner as_owner = AsOwner::writing();
        const Spi connection;
        const PromoCodePool pool = find_pool(program, given.required(2, "pool"));
        if (!pool.is_personal()) {
            throw loyalty::Error(loyalty::sqlstate::unknown_promo_code_pool,
                                 "promo-code pool \"" + pool.id + "\" is not personal", {},
                                 "Codes of universal pools work for anybody; only personal ones are attached.");
        }
        const std::string profile = profile_key(program, given.required(1, "profile"), caller);
        const auto code = given.text(3);
        return copy_out(text_datum(code ? attach_given(pool, profile, *code) : attach_any(pool, profile)), result);
    });
}

PG_FUNCTION_INFO_V1(loyalty_detach_promo_code);
Datum loyalty_detach_promo_code(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const AsOwner as_owner = AsOwner::writing();
        const Spi connection;
        const std::string program = given.required(0, "program");
        const PromoCode code = lock_code(program, given.required(1, "code"));
        if (code.profile) require_visible(*code.profile, program);
        return BoolGetDatum(detach(code));
    });
}

PG_FUNCTION_INFO_V1(loyalty_activate_promo_code);
Datum loyalty_activate_promo_code(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const std::string program = given.required(0, "program");
        const Oid caller = GetUserId();
        const AsOwner as_owner = AsOwner::writing();
        const Spi connection;
        const std::string profile = profile_key(program, given.required(1, "profile"), caller), buyer = "m:" + profile;
        const auto external_id = given.text(3);
        const PromoCode code = lock_code(program, given.required(2, "code"));
        if (external_id && is_repeated(code, buyer, *external_id)) return Int32GetDatum(code.uses);
        check_usable(code, profile, buyer);
        use(code, buyer, external_id);
        write_event("promo_code_used", code, profile);
        return Int32GetDatum(code.uses + 1);
    });
}
}
