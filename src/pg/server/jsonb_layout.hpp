// A jsonb in the form in which the server stores it, laid out at once from what a writer has remembered.
//
// The server's own way (pushJsonbValue) builds a tree of values first, each number an allocation, and enlarges what it
// writes to by copying it: half of the time of placing a large order (measured), and several times its memory. The form
// is the one that utils/jsonb.h describes; it stands in every table with a jsonb, and so does not change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "pg/server/postgres.hpp"

namespace loyalty::pg {

// Kept small: an answer has thousands.
struct JsonbPiece {
    std::uint8_t token;  // JsonbIteratorToken
    std::uint8_t type;   // jbvType
    std::uint32_t size;  // of a text; the scale of a number; how many members or elements begin here
    union {
        const char* text;
        std::int64_t units;
        std::size_t end;  // of what begins here: the place of its last piece
    };
};

using JsonbPieces = std::deque<JsonbPiece>;

// These two are to be called behind the server's door.
//
// Puts texts into the server's encoding, in the current memory context.
void encode_texts(JsonbPieces& pieces);

// The value, in the current memory context. It has at most as many bytes as there is room: jsonb_room() says how many
// are enough. Of members of one name the last stays.
Datum lay_out_jsonb(const JsonbPieces& pieces, std::size_t room);

// Bytes that the value has at most, with its header; its texts are in the server's encoding already.
std::size_t jsonb_room(const JsonbPieces& pieces);

}  // namespace loyalty::pg
