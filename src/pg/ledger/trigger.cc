// The trigger of loyalty.transactions: books the effects of a row before it is inserted, and afterwards proves that the
// row whose effects were booked arrived as it was booked. Otherwise points could be spent with no row that says so, for
// instance where ON CONFLICT DO NOTHING, or a user's trigger, drops the row.
//
// A row that arrives with its balances is taken as it stands; only the schema's owner can write those columns. This is
// the way of restores and of set-based jobs.
#include <unordered_set>
#include <vector>

#include "pg/ledger/book.hpp"
#include "pg/members/visible.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/owner.hpp"
#include "pg/server/trigger.hpp"
#include "pg/server/whole_row.hpp"

extern "C" {
#include "access/htup_details.h"
#include "common/hashfn.h"
}

namespace loyalty::pg {

namespace {

// ---------------------------------------------------------------------------------------------------------------------
// Columns

bool has_same_columns(TupleDesc one, TupleDesc other) {
    if (one->natts != other->natts) return false;
    for (int i = 0; i < one->natts; i++) {
        const FormData_pg_attribute &left = *TupleDescAttr(one, i), &right = *TupleDescAttr(other, i);
        if (left.atttypid != right.atttypid || strcmp(NameStr(left.attname), NameStr(right.attname)) != 0) return false;
    }
    return true;
}

struct Columns {
    int member, program, point_type, seq, id, external_id, type, value, balance_before, balance_after, debt, owed,
        lapsed, created_at, booked_at, active_from, expires_at, undoes, hold, source_type, source, promotion, comment,
        data;

    explicit Columns(TupleDesc row)
        : member(column_of(row, "member", TEXTOID)),
          program(column_of(row, "program", TEXTOID)),
          point_type(column_of(row, "point_type", TEXTOID)),
          seq(column_of(row, "seq", INT8OID)),
          id(column_of(row, "id", UUIDOID)),
          external_id(column_of(row, "external_id", TEXTOID)),
          type(column_of(row, "type", TEXTOID)),
          value(column_of(row, "value", NUMERICOID)),
          balance_before(column_of(row, "balance_before", NUMERICOID)),
          balance_after(column_of(row, "balance_after", NUMERICOID)),
          debt(column_of(row, "debt", NUMERICOID)),
          owed(column_of(row, "owed", NUMERICOID)),
          lapsed(column_of(row, "lapsed", NUMERICOID)),
          created_at(column_of(row, "created_at", TIMESTAMPTZOID)),
          booked_at(column_of(row, "booked_at", TIMESTAMPTZOID)),
          active_from(column_of(row, "active_from", TIMESTAMPTZOID)),
          expires_at(column_of(row, "expires_at", TIMESTAMPTZOID)),
          undoes(column_of(row, "undoes", INT8OID)),
          hold(column_of(row, "hold", UUIDOID)),
          source_type(column_of(row, "source_type", TEXTOID)),
          source(column_of(row, "source", TEXTOID)),
          promotion(column_of(row, "promotion", TEXTOID)),
          comment(column_of(row, "comment", TEXTOID)),
          data(column_of(row, "data", JSONBOID)) {}
};

// Found anew when the table has changed: its owner may have dropped a column and added another.
const Columns& columns(TupleDesc row) {
    static TupleDesc known = nullptr;
    static std::optional<Columns> found;
    if (known && has_same_columns(known, row)) return *found;
    // Both are replaced, or neither: a table that lacks a column is an error, and leaves what was known of the right
    // one.
    const Columns fresh(row);
    const TupleDesc copied = postgres([=] {
        const MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);
        const TupleDesc copy = CreateTupleDescCopy(row);
        MemoryContextSwitchTo(before);
        return copy;
    });
    if (known) postgres([] { FreeTupleDesc(known); });
    known = copied;
    found = fresh;
    return *found;
}

class Row {
public:
    Row(HeapTuple tuple, TupleDesc description) : tuple_(tuple), description_(description) {}

    std::optional<Datum> datum(int column) const {
        bool is_null;
        const Datum value = heap_getattr(tuple_, column, description_, &is_null);
        return is_null ? std::nullopt : std::optional(value);
    }
    std::optional<std::string> text(int column) const {
        const auto value = datum(column);
        return value ? std::optional(text_of(*value)) : std::nullopt;
    }
    std::optional<TimestampTz> moment(int column) const {
        const auto value = datum(column);
        return value ? std::optional(DatumGetTimestampTz(*value)) : std::nullopt;
    }
    std::string required(int column, const char* name) const {
        const auto value = text(column);
        if (!value) throw Error(sqlstate::missing_field, std::string("a transaction needs a ") + name);
        return *value;
    }

private:
    HeapTuple tuple_;
    TupleDesc description_;
};

// ---------------------------------------------------------------------------------------------------------------------
// Booked rows on their way

// One statement that inserts transactions: the rows that were booked for it and have not arrived yet, as hashes of what
// must not differ. Statements nest, through triggers and functions, so there is a stack of them.
struct Statement {
    int nest_level;  // of the subtransaction it runs in
    std::unordered_set<std::uint64_t> expected;
};

std::vector<Statement>& statements() {
    static std::vector<Statement> instance;
    return instance;
}

void forget_transaction(XactEvent event, void*) {
    if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE) statements().clear();
}

// What ran in a subtransaction that is rolled back will not come to its end.
void forget_subtransaction(SubXactEvent event, SubTransactionId, SubTransactionId, void*) {
    if (event != SUBXACT_EVENT_ABORT_SUB) return;
    auto& stack = statements();
    while (!stack.empty() && stack.back().nest_level >= GetCurrentTransactionNestLevel()) stack.pop_back();
}

void begin_statement() {
    static const bool registered = [] {
        postgres([] {
            RegisterXactCallback(forget_transaction, nullptr);
            RegisterSubXactCallback(forget_subtransaction, nullptr);
        });
        return true;
    }();
    static_cast<void>(registered);
    statements().push_back({GetCurrentTransactionNestLevel(), {}});
}

void end_statement() {
    auto& stack = statements();
    if (stack.empty()) return;
    const bool all_arrived = stack.back().expected.empty();
    stack.pop_back();
    if (all_arrived) return;
    throw Error(
        sqlstate::row_did_not_arrive, "a transaction was booked, but its row did not arrive as it was booked", {},
        "Something between loyalty's trigger and the table dropped or changed the row: ON CONFLICT DO NOTHING, or a "
        "trigger of your own.");
}

std::uint64_t hash_bytes_of(Datum value, std::uint64_t seed) {
    return postgres([=] {
        varlena* bytes = PG_DETOAST_DATUM_PACKED(value);
        return hash_bytes_extended(reinterpret_cast<const unsigned char*>(VARDATA_ANY(bytes)),
                                   static_cast<int>(VARSIZE_ANY_EXHDR(bytes)), seed);
    });
}

// Of the figures and of everything that led to them.
std::uint64_t fingerprint(HeapTuple tuple, TupleDesc description) {
    const Row row(tuple, description);
    const Columns& c = columns(description);
    std::uint64_t hash = 0;
    for (const int column : {c.member, c.program, c.point_type, c.external_id, c.type, c.value, c.balance_before,
                             c.balance_after, c.debt, c.owed, c.lapsed, c.source_type}) {
        const auto value = row.datum(column);
        hash = value ? hash_bytes_of(*value, hash) : hash_combine64(hash, 1);
    }
    for (const int column : {c.seq, c.created_at, c.booked_at, c.active_from, c.expires_at, c.undoes}) {
        hash = hash_combine64(hash, row.datum(column).value_or(1));
    }
    for (const int column : {c.id, c.hold}) {
        const auto value = row.datum(column);
        const unsigned char* bytes = value ? reinterpret_cast<const unsigned char*>(DatumGetPointer(*value)) : nullptr;
        hash = bytes ? hash_bytes_extended(bytes, 16, hash) : hash_combine64(hash, 1);
    }
    return hash;
}

// ---------------------------------------------------------------------------------------------------------------------
// Before a row

// The columns to be set in a row.
class Changes {
public:
    void set(int column, Datum value) {
        columns_.push_back(column);
        values_.push_back(value);
    }
    void set(int column, const std::optional<TimestampTz>& moment) {
        if (moment) set(column, TimestampTzGetDatum(*moment));
    }
    HeapTuple apply(HeapTuple tuple, TupleDesc description) {
        int* numbers = columns_.data();
        Datum* values = values_.data();
        const int count = static_cast<int>(columns_.size());
        return postgres([=] {
            auto* nulls = static_cast<bool*>(palloc0(sizeof(bool) * static_cast<std::size_t>(count) + 1));
            return count == 0 ? tuple : heap_modify_tuple_by_cols(tuple, description, count, numbers, values, nulls);
        });
    }

private:
    std::vector<int> columns_;
    std::vector<Datum> values_;
};

Posting read_posting(const Row& row, const Columns& c, bool by_owner) {
    Posting posting;
    posting.key = {row.required(c.member, "member"), row.required(c.program, "program"),
                   row.required(c.point_type, "point type")};
    posting.type = row.required(c.type, "type");
    posting.value = row.datum(c.value);
    posting.external_id = row.text(c.external_id);
    posting.created_at = row.moment(c.created_at);
    posting.active_from = row.moment(c.active_from);
    posting.expires_at = row.moment(c.expires_at);
    if (const auto undoes = row.datum(c.undoes)) posting.undoes = DatumGetInt64(*undoes);
    if (const auto hold = row.datum(c.hold)) posting.hold = uuid_of(*hold);
    posting.source_type = row.text(c.source_type);
    posting.source = row.text(c.source);
    posting.promotion = row.text(c.promotion);
    posting.comment = row.text(c.comment);
    posting.data = row.datum(c.data);
    posting.by_owner = by_owner;
    return posting;
}

void tell_repeated(const Posting& posting, const Uuid& id) {
    if (!posting.external_id) return;
    const std::string shown = show(id);
    const char* external_id = posting.external_id->c_str();
    const char* transaction = shown.c_str();
    postgres([=] {
        ereport(NOTICE, (errmsg("transaction \"%s\" was booked before, no row is added",
                                pg_any_to_server(external_id, static_cast<int>(strlen(external_id)), PG_UTF8)),
                         errdetail("It has the id %s.", transaction)));
    });
}

// Whether all figures that a booking fills are given, or none.
bool has_figures(const Row& row, const Columns& c) {
    int given = 0;
    for (const int column : {c.seq, c.balance_before, c.balance_after}) given += row.datum(column).has_value();
    if (given == 0 || given == 3) return given == 3;
    throw Error(
        sqlstate::partial_figures, "a row arrives with only some of its figures", {},
        "Give seq, balance_before and balance_after, and the row is taken as it stands; or none, and it is booked.");
}

HeapTuple complete(const Row& row, const Columns& c, HeapTuple tuple, TupleDesc description) {
    Changes changes;
    if (!row.datum(c.id)) changes.set(c.id, uuid_datum(make_uuid()));
    if (!row.datum(c.booked_at)) changes.set(c.booked_at, now());
    return changes.apply(tuple, description);
}

Booking book_as_owner(const Posting& posting) {
    const AsOwner as_owner = AsOwner::by_trigger();
    const Spi connection;
    require_visible(posting.key.member, posting.key.program);
    return book(posting);
}

HeapTuple before_row(HeapTuple given, TupleDesc description) {
    const Columns& c = columns(description);
    const Row row(given, description);
    if (has_figures(row, c)) return complete(row, c, given, description);

    const Oid owner = schema_owner();
    const bool by_owner = postgres([=] { return has_privs_of_role(GetUserId(), owner); });
    const Posting posting = read_posting(row, c, by_owner);
    const Booking booking = book_as_owner(posting);
    if (booking.repeated) {
        if (!Quietly::holds()) tell_repeated(posting, *booking.repeated);
        return nullptr;
    }
    Changes changes;
    const ledger::Entry& entry = booking.entry;
    changes.set(c.seq, Int64GetDatum(entry.seq));
    changes.set(c.id, uuid_datum(booking.id));
    changes.set(c.value, numeric_datum(entry.value, booking.scale));
    changes.set(c.balance_before, numeric_datum(entry.before, booking.scale));
    changes.set(c.balance_after, numeric_datum(entry.after, booking.scale));
    changes.set(c.debt, numeric_datum(entry.debt, booking.scale));
    changes.set(c.owed, numeric_datum(entry.owed, booking.scale));
    changes.set(c.lapsed, numeric_datum(entry.lapsed, booking.scale));
    changes.set(c.created_at, TimestampTzGetDatum(entry.created_at));
    changes.set(c.booked_at, TimestampTzGetDatum(booking.booked_at));
    changes.set(c.active_from, booking.active_from);
    changes.set(c.expires_at, booking.expires_at);
    const HeapTuple booked = changes.apply(given, description);
    if (statements().empty())
        fail_misused("loyalty_internal.transactions_trigger", "It was not called before the statement as well.");
    statements().back().expected.insert(fingerprint(booked, description));
    return booked;
}

// The rules that carry the balances, of rows that arrive with their figures, too. They are no check constraints, for
// each of these costs every booking (see whole_row.hpp), and this trigger looks at the row anyway.
void require_well_formed(HeapTuple arrived, TupleDesc description) {
    const Columns& c = columns(description);
    const Row row(arrived, description);
    const auto figure = [&](int column) {
        if (const auto value = row.datum(column)) return Figure(*value);
        throw Error(sqlstate::data_corrupted, "a figure in a row of loyalty.transactions is null", {},
                    "The table was altered: compare it with that of a fresh installation.");
    };
    const std::string type = row.required(c.type, "type");
    const Figure value = figure(c.value);
    const bool adds = type == "accrual" || type == "refund" || type == "initial";
    const char* broken = nullptr;
    if (adds != (value > Figure::zero())) broken = "Its value does not have the sign of its type.";
    if (figure(c.balance_after) != figure(c.balance_before) + value)
        broken = "Its balance_after is not balance_before + value.";
    if (!broken) return;
    throw Error("23514", "a row of loyalty.transactions is not well formed", broken,
                "Correct the row, or leave its figures out, and it is booked.");
}

void after_row(HeapTuple arrived, TupleDesc description) {
    require_well_formed(arrived, description);
    auto& stack = statements();
    if (!stack.empty() && !stack.back().expected.empty())
        stack.back().expected.erase(fingerprint(arrived, description));
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_transactions_trigger);
Datum loyalty_transactions_trigger(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const OwnTrigger trigger(fcinfo, "loyalty_internal.transactions_trigger");
        trigger.require(trigger.is_insert() && (trigger.is_before() || trigger.is_after()), "BEFORE and AFTER INSERT");
        if (!trigger.is_for_row()) {
            trigger.is_before() ? begin_statement() : end_statement();
            return no_row;
        }
        if (trigger.is_before()) return PointerGetDatum(before_row(trigger->tg_trigtuple, trigger.row()));
        after_row(trigger->tg_trigtuple, trigger.row());
        return no_row;
    });
}
}
