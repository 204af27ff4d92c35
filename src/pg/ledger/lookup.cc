#include "pg/ledger/lookup.hpp"
#include "pg/server/in_turn.hpp"

namespace loyalty::pg {

void Named::check(const char* noun) const {
    if (id.has_value() == external_id.has_value()) {
        throw Error(sqlstate::missing_field, std::string("name the ") + noun + " by its id or by its external id", {},
                    "Give one of both.");
    }
}

std::string Named::shown() const { return id ? show(*id) : "\"" + *external_id + "\""; }

void fail_unknown_transaction(const char* noun, const Named& name) {
    throw Error(sqlstate::unknown_transaction, std::string(noun) + " " + name.shown() + " does not exist", {},
                "It is looked for among those of the member in the program.");
}

std::optional<FoundTransaction> find_transaction(const std::string& member, const std::string& program,
                                                 const Named& name) {
    static Query query(
        "SELECT id, point_type, type, coalesce(source_type, ''), seq FROM loyalty.all_transactions"
        "    WHERE member = $1 AND program = $2 AND id = $3"
        " UNION ALL "
        "SELECT id, point_type, type, coalesce(source_type, ''), seq FROM loyalty.all_transactions"
        " WHERE member = $1 AND program = $2 AND external_id = $4",
        {TEXTOID, TEXTOID, UUIDOID, TEXTOID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run({text_argument(member), text_argument(program), optional_uuid_argument(name.id),
                                 optional_text_argument(name.external_id)});
    if (rows.size() == 0) return std::nullopt;
    ColumnsInTurn columns(rows);
    return FoundTransaction{columns.uuid(), columns.text(), columns.text(), columns.text(), columns.bigint()};
}

std::optional<FoundHold> find_hold(const std::string& member, const std::string& program, const Named& name) {
    static Query query(
        "SELECT id, point_type FROM loyalty.holds WHERE member = $1 AND program = $2 AND id = $3"
        " UNION ALL "
        "SELECT id, point_type FROM loyalty.holds WHERE member = $1 AND program = $2 AND external_id = $4",
        {TEXTOID, TEXTOID, UUIDOID, TEXTOID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run({text_argument(member), text_argument(program), optional_uuid_argument(name.id),
                                 optional_text_argument(name.external_id)});
    if (rows.size() == 0) return std::nullopt;
    ColumnsInTurn columns(rows);
    return FoundHold{columns.uuid(), columns.text()};
}

}  // namespace loyalty::pg
