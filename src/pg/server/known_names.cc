// Row trigger of the tables that hold what is configured: what a row names exists, and where it does not, an error of
// ours says so before the server's own check does. The rules are the foreign keys of the table, and nothing else. It
// fires after the row, since rows of one statement may name each other, and by its name before the server's triggers.
#include <algorithm>

#include "pg/server/kept_queries.hpp"
#include "pg/server/trigger.hpp"

namespace loyalty::pg {

namespace {

// A foreign key of the trigger's table.
struct Reference {
    Oid constraint, target;
    int columns;
    AttrNumber naming[INDEX_MAX_KEYS], named[INDEX_MAX_KEYS];
};

// Those of few columns first: an unknown program says more than an unknown promotion of an unknown program.
std::vector<Reference> references_of(Relation table) {
    const List* const keys = postgres([=] { return RelationGetFKeyList(table); });
    std::vector<Reference> references;
    for (int i = 0; i < list_length(keys); i++) {
        const auto* key = static_cast<const ForeignKeyCacheInfo*>(keys->elements[i].ptr_value);
        Reference& reference = references.emplace_back();
        reference.constraint = key->conoid;
        reference.target = key->confrelid;
        reference.columns = key->nkeys;
        std::copy_n(key->conkey, key->nkeys, reference.naming);
        std::copy_n(key->confkey, key->nkeys, reference.named);
    }
    std::stable_sort(references.begin(), references.end(),
                     [](const Reference& a, const Reference& b) { return a.columns < b.columns; });
    return references;
}

// The row as it is now, and as it was before an update.
class ChangedRow {
public:
    explicit ChangedRow(const OwnTrigger& trigger)
        : description_(trigger.row()),
          now_(trigger.is_insert() ? trigger->tg_trigtuple : trigger->tg_newtuple),
          before_(trigger.is_insert() ? nullptr : trigger->tg_trigtuple) {}

    HeapTuple now() const { return now_; }
    TupleDesc description() const { return description_; }

    // A key with a null names nothing, and one that was there before is known.
    bool names_anew(const Reference& reference) const {
        bool is_new = before_ == nullptr;
        for (int i = 0; i < reference.columns; i++) {
            bool is_null;
            const Datum now = value(now_, reference.naming[i], is_null);
            if (is_null) return false;
            if (is_new) continue;
            const Datum before = value(before_, reference.naming[i], is_null);
            is_new = is_null || !is_same(reference.naming[i], now, before);
        }
        return is_new;
    }

    std::vector<std::string> key(const Reference& reference) const {
        std::vector<std::string> key;
        for (int i = 0; i < reference.columns; i++) {
            const HeapTuple row = now_;
            const TupleDesc description = description_;
            const AttrNumber column = reference.naming[i];
            key.push_back(postgres([=] {
                const char* const shown = SPI_getvalue(row, description, column);
                return pg_server_to_any(shown, static_cast<int>(strlen(shown)), PG_UTF8);
            }));
        }
        return key;
    }

private:
    Datum value(HeapTuple row, AttrNumber column, bool& is_null) const {
        return heap_getattr(row, column, description_, &is_null);
    }
    bool is_same(AttrNumber column, Datum a, Datum b) const {
        const Form_pg_attribute attribute = TupleDescAttr(description_, column - 1);
        return postgres([=] { return datum_image_eq(a, b, attribute->attbyval, attribute->attlen); });
    }

    TupleDesc description_;
    HeapTuple now_, before_;
};

// Finds the row that is named by a key, which is given as texts.
std::string look_up(const Reference& reference) {
    const Oid target = reference.target;
    std::string query = postgres([=] {
        return quote_qualified_identifier(get_namespace_name(get_rel_namespace(target)), get_rel_name(target));
    });
    query = "SELECT FROM " + query + " AS known WHERE ";
    for (int i = 0; i < reference.columns; i++) {
        const AttrNumber column = reference.named[i];
        query += (i > 0 ? " AND known." : "known.") + std::string(postgres([=] {
                     return psprintf("%s = ($1)[%d]::%s", quote_identifier(get_attname(target, column, false)), i + 1,
                                     format_type_be_qualified(getBaseType(get_atttype(target, column))));
                 }));
    }
    return query;
}

bool is_known(const Reference& reference, const ChangedRow& row) {
    static KeptQueries& queries = *new KeptQueries;
    const std::vector<std::string> key = row.key(reference);
    return queries.run(look_up(reference), TEXTARRAYOID, texts_argument(key), true).size() > 0;
}

// What there is instead is looked up in SQL.
void refuse(const OwnTrigger& trigger, const Reference& reference, const ChangedRow& row) {
    const Oid constraint = reference.constraint;
    const Oid type = trigger->tg_relation->rd_rel->reltype;
    const HeapTuple now = row.now();
    const TupleDesc description = row.description();
    postgres([=] {
        Oid types[] = {OIDOID, type};
        Datum values[] = {ObjectIdGetDatum(constraint), heap_copy_tuple_as_datum(now, description)};
        SPI_execute_with_args("SELECT loyalty_internal.refuse_unknown_name($1, pg_catalog.to_jsonb($2))", 2, types,
                              values, nullptr, false, 0);
    });
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_known_names_trigger);
Datum loyalty_known_names_trigger(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const OwnTrigger trigger(fcinfo, "loyalty_internal.known_names_trigger");
        trigger.require(trigger.is_for_row() && trigger.is_after() && !TRIGGER_FIRED_BY_DELETE(trigger->tg_event),
                        "AFTER INSERT OR UPDATE ... FOR EACH ROW");
        const Spi connection;
        const ChangedRow row(trigger);
        for (const Reference& reference : references_of(trigger->tg_relation)) {
            if (row.names_anew(reference) && !is_known(reference, row)) refuse(trigger, reference, row);
        }
        return PointerGetDatum(nullptr);
    });
}
}
