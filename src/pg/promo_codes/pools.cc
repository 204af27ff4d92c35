// Making promo codes: at random from a mask, or from a table of the caller's.
#include "pg/promo_codes/pools.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "pg/server/arguments.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/cursor.hpp"
#include "pg/server/days.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/owner.hpp"
#include "pg/server/reader.hpp"

namespace loyalty::pg {

namespace {

constexpr std::int64_t most_codes = 10'000'000;
constexpr std::size_t codes_a_round = 100'000;
constexpr std::int64_t codes_a_notice = 1'000'000;
constexpr int longest_code = 100;

// ---------------------------------------------------------------------------------------------------------------------
// From a mask

constexpr std::string_view digits = "0123456789";
constexpr std::string_view letters = "ABCDEFGHJKLMNPQRSTUVWXYZ";
constexpr std::string_view either = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

// What one character of a mask stands for; empty for itself.
std::string_view alphabet(char mask) {
    switch (mask) {
        case '#':
            return digits;
        case '?':
            return letters;
        case '*':
            return either;
        default:
            return {};
    }
}

[[noreturn]] void fail_mask(const std::string& mask, std::string detail) {
    throw Error(sqlstate::wrong_mask, "promo codes cannot be made from mask \"" + mask + "\"", std::move(detail),
                "Use # for a digit, ? for a letter and * for either, such as BDAY-****-****.");
}

// Random bytes, drawn from the system a page at a time.
class Randomness {
public:
    std::uint8_t byte() {
        if (next_ == bytes_.size()) refill();
        return bytes_[next_++];
    }

    // A character, each with the same chance: bytes beyond the last full round of the alphabet are drawn again.
    char pick(std::string_view from) {
        const std::size_t fair = 256 - 256 % from.size();
        std::uint8_t drawn = byte();
        while (drawn >= fair) drawn = byte();
        return from[drawn % from.size()];
    }

private:
    void refill() {
        std::array<std::uint8_t, 4096>* const bytes = &bytes_;
        postgres([=] {
            if (!pg_strong_random(bytes->data(), bytes->size())) elog(ERROR, "could not get random bytes");
        });
        next_ = 0;
    }

    std::array<std::uint8_t, 4096> bytes_;
    std::size_t next_ = 4096;
};

// As an import writes codes: without white space around them, and in upper case, whatever the alphabet.
std::string canonical_mask(const std::string& given) {
    static Query query("SELECT upper(btrim($1)), length(btrim($1)), btrim($1) ~ '[[:space:][:cntrl:]]'", {TEXTOID});
    const Rows rows = query.run({text_argument(given)});
    ColumnsInTurn columns(rows);
    std::string mask = columns.text();
    const int length = columns.integer();
    const bool has_white_space = columns.boolean();
    if (length < 1 || length > longest_code)
        fail_mask(given,
                  "It has " + std::to_string(length) + " characters, not 1 to " + std::to_string(longest_code) + ".");
    if (has_white_space) fail_mask(given, "It has white space within.");
    return mask;
}

class Mask {
public:
    explicit Mask(const std::string& given) : mask_(canonical_mask(given)) {
        for (const char each : mask_) {
            const auto size = alphabet(each).size();
            if (size > 0 && capacity_ < most_codes * 100) capacity_ *= static_cast<std::int64_t>(size);
        }
    }

    // How many codes it stands for; where they are very many, some of them.
    std::int64_t capacity() const { return capacity_; }
    const std::string& text() const { return mask_; }

    std::string draw(Randomness& randomness) const {
        std::string code = mask_;
        for (char& each : code)
            if (const auto from = alphabet(each); !from.empty()) each = randomness.pick(from);
        return code;
    }

private:
    std::string mask_;
    std::int64_t capacity_ = 1;
};

// Those of the codes that are new, at most `most` of them. Returns how many.
std::int64_t insert_new(const PromoCodePool& pool, const std::vector<std::string>& codes, TimestampTz expires_at,
                        std::int64_t most) {
    static Query query(
        "INSERT INTO loyalty.promo_codes (code, program, pool, expires_at, created_at)"
        " SELECT code, $1, $2, $4, $6 FROM ("
        "     SELECT DISTINCT code FROM unnest($3) AS given (code)"
        "      WHERE NOT EXISTS (SELECT FROM loyalty.promo_codes c WHERE c.code = given.code AND c.program = $1)"
        " ) AS new LIMIT $5"
        " ON CONFLICT DO NOTHING",
        {TEXTOID, TEXTOID, TEXTARRAYOID, TIMESTAMPTZOID, INT8OID, TIMESTAMPTZOID});
    return static_cast<std::int64_t>(
        query
            .run({text_argument(pool.program), text_argument(pool.id), texts_argument(codes),
                  timestamp_argument(expires_at), bigint_argument(most), timestamp_argument(now())},
                 true)
            .size());
}

// A mask that has hardly a free code left gives none in a hundred rounds of ten thousand draws.
void generate(const PromoCodePool& pool, const Mask& mask, std::int64_t codes, TimestampTz expires_at) {
    constexpr std::size_t fewest_draws = 10'000;
    constexpr int most_rounds_in_vain = 100;
    Randomness randomness;
    int in_vain = 0;
    for (std::int64_t made = 0; made < codes;) {
        const std::size_t draws = std::clamp(static_cast<std::size_t>(codes - made), fewest_draws, codes_a_round);
        std::vector<std::string> drawn;
        for (std::size_t i = 0; i < draws; i++) drawn.push_back(mask.draw(randomness));
        check_interrupts();
        const Spi round;
        const std::int64_t inserted = insert_new(pool, drawn, expires_at, codes - made);
        in_vain = inserted > 0 ? 0 : in_vain + 1;
        if (in_vain == most_rounds_in_vain)
            fail_mask(mask.text(), "Its codes are used up: " + std::to_string(made) + " of " + std::to_string(codes) +
                                       " could be made.");
        const std::int64_t before = made;
        made += inserted;
        if (made / codes_a_notice > before / codes_a_notice)
            postgres([=] {
                ereport(NOTICE, (errmsg("made %lld of %lld promo codes", static_cast<long long>(made),
                                        static_cast<long long>(codes))));
            });
    }
}

// Whether a batch with this id is there already; if not, there is one now.
bool is_repeated(const PromoCodePool& pool, const Mask& mask, std::int64_t codes, TimestampTz expires_at,
                 const std::string& external_id) {
    static Query make(
        "INSERT INTO loyalty.promo_code_batches (program, external_id, pool, mask, codes, expires_at, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID});
    static Query compare(
        "SELECT pool = $3 AND mask = $4 AND codes = $5 AND expires_at = $6 FROM loyalty.promo_code_batches"
        " WHERE program = $1 AND external_id = $2",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID});
    const Argument program = text_argument(pool.program), id = text_argument(external_id), of = text_argument(pool.id),
                   text = text_argument(mask.text()), count = bigint_argument(codes),
                   expires = timestamp_argument(expires_at);
    if (make.run({program, id, of, text, count, expires, timestamp_argument(now())}, true).size() == 1) return false;
    const LatestSnapshot latest;
    if (compare.run({program, id, of, text, count, expires}).boolean(0, 1)) return true;
    throw Error(sqlstate::external_id_taken, "external id \"" + external_id + "\" was used for other promo codes", {},
                "Give each batch of codes an id of its own.");
}

// ---------------------------------------------------------------------------------------------------------------------
// From a table

struct Report {
    std::int64_t inserted = 0, duplicates = 0, refused = 0;
    std::vector<std::string> refused_codes;
};

constexpr std::size_t most_refused_shown = 20;

// What the columns of the source say of some codes.
struct Portion {
    std::vector<std::optional<std::string>> codes;
    std::vector<std::optional<std::int64_t>> uses;
    std::vector<std::optional<TimestampTz>> expires_at;
    std::vector<std::optional<std::string>> data;
};

void import_some(const PromoCodePool& pool, const Portion& portion, TimestampTz expires_at, Report& report) {
    static Query query(
        "WITH given AS MATERIALIZED ("
        "    SELECT raw, upper(btrim(raw)) AS code, coalesce(uses, 0) AS uses, coalesce(expires_at, $6) AS expires_at,"
        "           data::jsonb AS data, place"
        "      FROM unnest($3, $4, $5, $8) WITH ORDINALITY AS line (raw, uses, expires_at, data, place)),"
        " judged AS MATERIALIZED ("
        "    SELECT given.*, code IS NOT NULL AND length(code) BETWEEN 1 AND 100"
        "           AND code !~ '[[:space:][:cntrl:]]' AND uses BETWEEN 0 AND 2147483647"
        "           AND coalesce(jsonb_typeof(data), 'object') = 'object' AS fits FROM given),"
        " inserted AS ("
        "    INSERT INTO loyalty.promo_codes (code, program, pool, expires_at, uses, uses_before_import, created_at,"
        "        data)"
        "    SELECT DISTINCT ON (code) code, $1, $2, expires_at, uses, uses, $7, data FROM judged"
        "        WHERE fits ORDER BY code, place"
        "    ON CONFLICT DO NOTHING RETURNING code)"
        " SELECT (SELECT count(*) FROM inserted), count(*) FILTER (WHERE fits), count(*) FILTER (WHERE NOT fits),"
        "        (array_agg(coalesce(raw, 'null') ORDER BY place) FILTER (WHERE NOT fits))[1:20] FROM judged",
        {TEXTOID, TEXTOID, TEXTARRAYOID, INT8ARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZOID, TIMESTAMPTZOID,
         TEXTARRAYOID});
    const Rows rows =
        query.run({text_argument(pool.program), text_argument(pool.id), optional_texts_argument(portion.codes),
                   optional_bigints_argument(portion.uses), optional_timestamps_argument(portion.expires_at),
                   timestamp_argument(expires_at), timestamp_argument(now()), optional_texts_argument(portion.data)},
                  true);
    ColumnsInTurn columns(rows);
    const std::int64_t inserted = columns.bigint();
    report.inserted += inserted;
    report.duplicates += columns.bigint() - inserted;
    report.refused += columns.bigint();
    for (auto& code : columns.texts())
        if (report.refused_codes.size() < most_refused_shown) report.refused_codes.push_back(std::move(code));
}

std::string time_zone_of(const std::string& program) {
    static Query query("SELECT time_zone FROM loyalty.programs WHERE external_id = $1", {TEXTOID});
    return query.run({text_argument(program)}).text(0, 1);
}

// The caller's columns; those that are not named say nothing.
struct Columns {
    std::string code;
    std::optional<std::string> uses, expires, data;
};

// A cursor on the caller's columns; each portion is read with the caller's rights.
class Source {
public:
    Source(Oid relation, const Columns& columns, const std::string& time_zone, Oid caller)
        : relation_(relation), caller_(caller) {
        const AsReader reader = AsReader::of(relation_, caller_);
        const char* code = columns.code.c_str();
        const char* uses = columns.uses ? columns.uses->c_str() : nullptr;
        const char* expires = columns.expires ? columns.expires->c_str() : nullptr;
        const char* data = columns.data ? columns.data->c_str() : "NULL";
        const bool has_data = columns.data.has_value();
        const char* zone = time_zone.c_str();
        const char* query = postgres([=]() -> const char* {
            const char* table = get_rel_name(relation);
            const char* schema = table ? get_namespace_name(get_rel_namespace(relation)) : nullptr;
            if (!schema) return nullptr;
            return psprintf("SELECT CAST(%s AS pg_catalog.text), CAST(%s AS pg_catalog.int8), %s,"
                            " CAST(CAST(%s AS pg_catalog.jsonb) AS pg_catalog.text) FROM %s",
                            quote_identifier(code), uses ? quote_identifier(uses) : "NULL",
                            expires ? moment(relation, expires, zone) : "CAST(NULL AS pg_catalog.timestamptz)",
                            has_data ? quote_identifier(data) : data, quote_qualified_identifier(schema, table));
        });
        if (!query)
            throw Error("42P01", "the table of promo codes does not exist",
                        "Its OID is " + std::to_string(relation) + ".");
        cursor_.emplace(query);
    }

    Portion next() {
        const AsReader reader = AsReader::of(relation_, caller_);
        const Rows rows = cursor_->fetch(static_cast<long>(codes_a_round));
        Portion portion;
        for (std::uint64_t row = 0; row < rows.size(); row++) {
            ColumnsInTurn columns(rows, row);
            portion.codes.push_back(columns.optional_text());
            portion.uses.push_back(columns.optional_bigint());
            portion.expires_at.push_back(columns.optional_timestamp());
            portion.data.push_back(columns.optional_text());
        }
        return portion;
    }

    // Until then the table cannot be changed.
    void close() { cursor_->close(); }

private:
    // A date is the last day, by the program's clock.
    static const char* moment(Oid relation, const char* column, const char* time_zone) {
        const AttrNumber number = get_attnum(relation, column);
        if (number != InvalidAttrNumber && get_atttype(relation, number) == DATEOID) {
            return psprintf("pg_catalog.timezone(%s, CAST(%s OPERATOR(pg_catalog.+) 1 AS pg_catalog.timestamp))",
                            quote_literal_cstr(time_zone), quote_identifier(column));
        }
        return psprintf("CAST(%s AS pg_catalog.timestamptz)", quote_identifier(column));
    }

    Oid relation_, caller_;
    std::optional<Cursor> cursor_;
};

Datum return_report(FunctionCallInfo call, const Report& report) {
    const Argument refused = texts_argument(report.refused_codes);
    const std::int64_t inserted = report.inserted, duplicates = report.duplicates, of_refused = report.refused;
    return postgres([=] {
        TupleDesc row;
        if (get_call_result_type(call, nullptr, &row) != TYPEFUNC_COMPOSITE)
            elog(ERROR, "return type must be a row type");
        Datum values[] = {Int64GetDatum(inserted), Int64GetDatum(duplicates), Int64GetDatum(of_refused), refused.value};
        bool nulls[] = {false, false, false, false};
        return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row), values, nulls));
    });
}

// Until when codes are used: a moment, the fifth argument of both functions, whose default is never; or the end of a
// day.
TimestampTz expiry(const PromoCodePool& pool, const Arguments& given, int day) {
    auto at = given.moment(4);
    if (at == DT_NOEND) at.reset();
    return read_expiry(pool.program, at, given.datum(day)).value_or(DT_NOEND);
}

}  // namespace

PromoCodePool find_pool(const std::string& program, const std::string& pool) {
    static Query query(
        "SELECT p.kind, loyalty_internal.moment_or_day(p.valid_from, p.starts_on, g.time_zone),"
        "       loyalty_internal.moment_or_day(p.valid_until, p.ends_on + 1, g.time_zone), p.template"
        "  FROM loyalty.programs g"
        "  LEFT JOIN loyalty.promo_code_pools p ON p.program = g.external_id AND p.external_id = $2"
        " WHERE g.external_id = $1",
        {TEXTOID, TEXTOID});
    const Rows rows = query.run({text_argument(program), text_argument(pool)});
    if (rows.size() == 0)
        throw Error(sqlstate::unknown_program, "program \"" + program + "\" does not exist", {},
                    "Name one of loyalty.programs.");
    ColumnsInTurn columns(rows);
    auto kind = columns.optional_text();
    if (!kind) {
        throw Error(sqlstate::unknown_promo_code_pool,
                    "promo-code pool \"" + pool + "\" of program \"" + program + "\" does not exist", {},
                    "Name one of loyalty.promo_code_pools.");
    }
    return {program, pool, *std::move(kind), columns.timestamp(), columns.timestamp(), columns.optional_text()};
}

void check_validity(const PromoCodePool& pool) {
    if (pool.valid_from <= now() && now() < pool.valid_until) return;
    throw Error(sqlstate::pool_not_valid, "promo-code pool \"" + pool.id + "\" is not valid now", {},
                "See valid_from, valid_until, starts_on and ends_on of loyalty.promo_code_pools.");
}

}  // namespace loyalty::pg

extern "C" {

PG_FUNCTION_INFO_V1(loyalty_generate_promo_codes);
Datum loyalty_generate_promo_codes(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const AsOwner as_owner = AsOwner::writing();
        const Spi connection;
        const Mask mask(given.required(2, "mask"));
        if (PG_ARGISNULL(3)) throw loyalty::Error(loyalty::sqlstate::missing_field, "argument \"codes\" is missing");
        const std::int64_t codes = PG_GETARG_INT64(3);
        if (codes < 1 || codes > most_codes) {
            throw loyalty::Error(loyalty::sqlstate::value_out_of_range, "the number of codes is out of range",
                                 "It is " + std::to_string(codes) + ".",
                                 "It is 1 to " + std::to_string(most_codes) + ".");
        }
        if (codes > mask.capacity())
            fail_mask(mask.text(), "It stands for " + std::to_string(mask.capacity()) + " codes.");
        const auto external_id = given.text(5);
        const PromoCodePool pool = find_pool(given.required(0, "program"), given.required(1, "pool"));
        const TimestampTz expires_at = expiry(pool, given, 6);
        if (external_id && is_repeated(pool, mask, codes, expires_at, *external_id)) return Int64GetDatum(codes);
        check_validity(pool);
        generate(pool, mask, codes, expires_at);
        return Int64GetDatum(codes);
    });
}

PG_FUNCTION_INFO_V1(loyalty_import_promo_codes);
Datum loyalty_import_promo_codes(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        if (PG_ARGISNULL(2)) throw loyalty::Error(loyalty::sqlstate::missing_field, "argument \"source\" is missing");
        const Oid relation = PG_GETARG_OID(2);
        const auto name = [&](int argument) -> std::optional<std::string> {
            if (PG_ARGISNULL(argument)) return std::nullopt;
            return NameStr(*PG_GETARG_NAME(argument));
        };
        const Columns columns{name(3).value_or("code"), name(5), name(6), name(8)};
        const Oid caller = GetUserId();
        Report report;
        {
            const AsOwner as_owner = AsOwner::writing();
            const Spi connection;
            const PromoCodePool pool = find_pool(given.required(0, "program"), given.required(1, "pool"));
            const TimestampTz expires_at = expiry(pool, given, 7);
            check_validity(pool);
            Source source(relation, columns, time_zone_of(pool.program), caller);
            for (auto portion = source.next(); !portion.codes.empty(); portion = source.next()) {
                check_interrupts();
                const Spi round;
                import_some(pool, portion, expires_at, report);
            }
            source.close();
        }
        return return_report(fcinfo, report);
    });
}
}
