// loyalty_book and loyalty_book_segment: many bookings in one call.
#include "pg/ledger/many.hpp"
#include "pg/members/segment.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

constexpr int columns = 8;

// The key is in the server's encoding already.
Datum member_datum(std::string_view key) {
    const char* data = key.data();
    const int size = static_cast<int>(key.size());
    return postgres([=] { return PointerGetDatum(cstring_to_text_with_len(data, size)); });
}

// A row for each of the members, with what is given for all of them.
Datum rows_of(const std::vector<std::string>& members, Datum posting) {
    static Query query(
        "SELECT coalesce(jsonb_agg($2 || jsonb_build_object('member', m.member)), '[]')"
        "    FROM unnest($1::text[]) m (member)",
        {TEXTARRAYOID, JSONBOID});
    return query.run({texts_argument(members), {posting, false}}).datum(0, 1, JSONBOID);
}

// The outcomes as rows: number, member, outcome, transaction, and what the error says.
Datum return_outcomes(FunctionCallInfo call, const GivenRows& rows, const ManyOutcomes& outcomes) {
    postgres([=] { InitMaterializedSRF(call, MAT_SRF_USE_EXPECTED_DESC); });
    auto* result = reinterpret_cast<ReturnSetInfo*>(call->resultinfo);
    if (result->setDesc->natts != columns) throw Error("42804", "the function gives 8 columns");
    const Datum names[] = {text_datum(""), text_datum("booked"), text_datum("repeated"), text_datum("refused")};
    for (std::size_t i = 0; i < outcomes.rows.size(); i++) {
        const RowOutcome& outcome = outcomes.rows[i];
        const bool refused = outcome.kind == RowOutcome::Kind::refused;
        const std::string_view member = rows.member(i);
        Datum values[columns] = {Int32GetDatum(static_cast<std::int32_t>(i + 1)), member_datum(member),
                                 names[static_cast<int>(outcome.kind)], PointerGetDatum(outcome.transaction.data())};
        bool nulls[columns] = {false, member.empty(), false, refused, true, true, true, true};
        if (refused) {
            const Trouble& trouble = outcomes.troubles[outcome.trouble];
            const std::string* const texts[] = {&trouble.sqlstate, &trouble.message, &trouble.detail, &trouble.hint};
            for (int n = 0; n < 4; n++) {
                nulls[4 + n] = texts[n]->empty();
                if (!nulls[4 + n]) values[4 + n] = text_datum(*texts[n]);
            }
        }
        const Datum* row = values;
        const bool* is_null = nulls;
        postgres([=] {
            tuplestore_putvalues(result->setResult, result->setDesc, const_cast<Datum*>(row),
                                 const_cast<bool*>(is_null));
        });
    }
    return 0;
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_book);
Datum loyalty_book(PG_FUNCTION_ARGS) {
    using namespace loyalty;
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const AsOwner owner = AsOwner::writing();
        const Spi connection;
        const std::string program = given.required(0, "program");
        const auto rows = given.datum(1);
        if (!rows) throw Error(sqlstate::missing_field, "argument \"rows\" is missing");
        GivenRows given_rows(*rows);
        return return_outcomes(fcinfo, given_rows,
                               book_many(program, given_rows, !PG_ARGISNULL(2) && PG_GETARG_BOOL(2)));
    });
}

PG_FUNCTION_INFO_V1(loyalty_book_segment);
Datum loyalty_book_segment(PG_FUNCTION_ARGS) {
    using namespace loyalty;
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const AsOwner owner = AsOwner::writing();
        const Spi connection;
        const std::string program = given.required(0, "program"), segment = given.required(1, "segment");
        const auto posting = given.datum(2);
        if (!posting) throw Error(sqlstate::missing_field, "argument \"posting\" is missing");
        const Datum object = *posting;
        if (!postgres([=] { return static_cast<bool>(JB_ROOT_IS_OBJECT(DatumGetJsonbP(object))); }))
            throw Error(sqlstate::wrong_type, "the posting is no object", {}, "Give a JSON object.");
        const auto members = members_in_segment(load_profile_database(program), segment, current_caller());
        GivenRows rows(rows_of(members, object));
        return return_outcomes(fcinfo, rows, book_many(program, rows, !PG_ARGISNULL(3) && PG_GETARG_BOOL(3)));
    });
}
}
