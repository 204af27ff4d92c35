#include "pg/server/jsonb_layout.hpp"

#include <algorithm>
#include <cstring>

namespace loyalty::pg {

namespace {

bool begins(const JsonbPiece& piece) { return piece.token == WJB_BEGIN_OBJECT || piece.token == WJB_BEGIN_ARRAY; }
bool is_text(const JsonbPiece& piece) { return piece.token == WJB_KEY || piece.type == jbvString; }

// All of it runs behind the door: plain values, and the server's memory.
class Layout {
public:
    Layout(const JsonbPieces& pieces, std::size_t room)
        : pieces_(pieces),
          room_(room),
          bytes_(static_cast<char*>(palloc(room))),
          names_(static_cast<std::size_t*>(palloc(names_room_ * sizeof(std::size_t)))) {}

    Datum lay_out_root() {
        put_bytes(nullptr, VARHDRSZ);
        lay_out_entry(0);
        pfree(names_);
        bytes_ = static_cast<char*>(repalloc(bytes_, used_));
        SET_VARSIZE(bytes_, used_);
        return PointerGetDatum(bytes_);
    }

private:
    // Bytes at the end, which are known or written later; returns where they begin.
    std::size_t put_bytes(const void* bytes, std::size_t size) {
        if (size > room_ - used_) elog(ERROR, "a jsonb does not fit into its %zu bytes", room_);
        if (bytes != nullptr) memcpy(bytes_ + used_, bytes, size);
        used_ += size;
        return used_ - size;
    }

    void align_bytes() {
        const char nothing[4] = {};
        put_bytes(nothing, INTALIGN(used_) - used_);
    }

    // What follows a value; the last piece of an object or array is its own.
    std::size_t after(std::size_t place) const {
        const JsonbPiece& piece = pieces_[place];
        return (begins(piece) ? piece.end : place) + 1;
    }

    static void require_entry_length(std::size_t length) {
        if (length <= JENTRY_OFFLENMASK) return;
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("total size of jsonb elements exceeds the maximum of %d bytes", JENTRY_OFFLENMASK)));
    }

    // Lays out what is at the place, and returns its entry: its type and length, padding before it included.
    JEntry lay_out_entry(std::size_t place) {
        if (++laid_out_ % 4096 == 0) CHECK_FOR_INTERRUPTS();
        const std::size_t begin = used_;
        const JEntry type = lay_out_value(place);
        require_entry_length(used_ - begin);
        return type | static_cast<JEntry>(used_ - begin);
    }

    JEntry lay_out_value(std::size_t place) {
        const JsonbPiece& piece = pieces_[place];
        if (piece.token == WJB_BEGIN_OBJECT) {
            lay_out_object(place);
            return JENTRY_ISCONTAINER;
        }
        if (piece.token == WJB_BEGIN_ARRAY) {
            lay_out_array(place);
            return JENTRY_ISCONTAINER;
        }
        if (piece.type == jbvString) {
            put_bytes(piece.text, piece.size);
            return JENTRY_ISSTRING;
        }
        if (piece.type == jbvNumeric) {
            put_number(piece);
            return JENTRY_ISNUMERIC;
        }
        return piece.units != 0 ? JENTRY_ISBOOL_TRUE : JENTRY_ISBOOL_FALSE;
    }

    void put_number(const JsonbPiece& piece) {
        align_bytes();
        const Numeric number = int64_div_fast_to_numeric(piece.units, static_cast<int>(piece.size));
        put_bytes(number, VARSIZE_ANY(number));
        pfree(number);
    }

    // The entries of what an object or an array holds. Every 32nd tells where it ends, all others how long it is.
    struct Entries {
        std::size_t at, count = 0, length = 0;
    };

    void put_entry(Entries& entries, JEntry entry) {
        entries.length += entry & JENTRY_OFFLENMASK;
        require_entry_length(entries.length);
        if (entries.count++ % JB_OFFSET_STRIDE == 0)
            entry = (entry & JENTRY_TYPEMASK) | static_cast<JEntry>(entries.length) | JENTRY_HAS_OFF;
        memcpy(bytes_ + entries.at, &entry, sizeof(entry));
        entries.at += sizeof(entry);
    }

    void put_header(std::uint32_t header) {
        check_stack_depth();
        align_bytes();
        put_bytes(&header, sizeof(header));
    }

    void lay_out_array(std::size_t place) {
        const std::uint32_t count = pieces_[place].size;
        put_header(count | JB_FARRAY);
        Entries entries{put_bytes(nullptr, count * sizeof(JEntry))};
        std::size_t next = place + 1;
        for (std::uint32_t i = 0; i < count; i++) {
            put_entry(entries, lay_out_entry(next));
            next = after(next);
        }
    }

    // Its names come first, in the order in which jsonb looks for them, then its values.
    void lay_out_object(std::size_t place) {
        const std::size_t first = names_used_, count = sort_member_names(place);
        put_header(static_cast<std::uint32_t>(count) | JB_FOBJECT);
        Entries entries{put_bytes(nullptr, 2 * count * sizeof(JEntry))};
        for (std::size_t i = 0; i < count; i++) put_entry(entries, lay_out_entry(names_[first + i]));
        for (std::size_t i = 0; i < count; i++) put_entry(entries, lay_out_entry(names_[first + i] + 1));
        names_used_ = first;
    }

    // Puts the places of an object's names behind those of the objects around it; returns how many there are.
    std::size_t sort_member_names(std::size_t place) {
        const std::size_t first = names_used_;
        std::size_t name = place + 1;
        for (std::uint32_t i = 0; i < pieces_[place].size; i++) {
            if (names_used_ == names_room_) {
                names_room_ *= 2;
                names_ = static_cast<std::size_t*>(repalloc_huge(names_, names_room_ * sizeof(std::size_t)));
            }
            names_[names_used_++] = name;
            name = after(name + 1);
        }
        std::size_t* const begin = names_ + first;
        std::size_t* const end = names_ + names_used_;
        std::sort(begin, end, [this](std::size_t a, std::size_t b) {
            const int order = compare(pieces_[a], pieces_[b]);
            return order != 0 ? order < 0 : a > b;
        });
        std::size_t* const last = std::unique(
            begin, end, [this](std::size_t a, std::size_t b) { return compare(pieces_[a], pieces_[b]) == 0; });
        names_used_ = first + static_cast<std::size_t>(last - begin);
        return static_cast<std::size_t>(last - begin);
    }

    // By length, then by bytes.
    static int compare(const JsonbPiece& a, const JsonbPiece& b) {
        if (a.size != b.size) return a.size < b.size ? -1 : 1;
        return memcmp(a.text, b.text, a.size);
    }

    const JsonbPieces& pieces_;
    const std::size_t room_;
    std::size_t used_ = 0, laid_out_ = 0;
    char* bytes_;
    std::size_t names_room_ = 256, names_used_ = 0;
    std::size_t* names_;  // the places of names, of the object that is laid out and of those around it
};

}  // namespace

void encode_texts(JsonbPieces& pieces) {
    if (GetDatabaseEncoding() == PG_UTF8) return;
    for (std::size_t i = 0; i < pieces.size(); i++) {
        if (i % 4096 == 0) CHECK_FOR_INTERRUPTS();
        JsonbPiece& piece = pieces[i];
        if (!is_text(piece)) continue;
        const char* const text = pg_any_to_server(piece.text, static_cast<int>(piece.size), PG_UTF8);
        if (text == piece.text) continue;
        piece.text = text;
        piece.size = static_cast<std::uint32_t>(strlen(text));
    }
}

Datum lay_out_jsonb(const JsonbPieces& pieces, std::size_t room) { return Layout(pieces, room).lay_out_root(); }

std::size_t jsonb_room(const JsonbPieces& pieces) {
    constexpr std::size_t entry = sizeof(JEntry), padding = 3;
    // Up to 19 digits, of which four make two bytes, and the point may stand anywhere between them.
    constexpr std::size_t number = padding + VARHDRSZ + 4 + 12;
    std::size_t room = VARHDRSZ;
    for (const JsonbPiece& piece : pieces) {
        if (begins(piece)) {
            room += entry + padding + sizeof(std::uint32_t);
        } else if (is_text(piece)) {
            room += entry + piece.size;
        } else if (piece.token == WJB_VALUE) {
            room += entry + (piece.type == jbvNumeric ? number : 0);
        }
    }
    return room;
}

}  // namespace loyalty::pg
