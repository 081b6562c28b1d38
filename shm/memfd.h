// Memory files that two processes share without having to trust each other. The daemon makes all of them; a
// client never hands in one of its own. A file's life: create_memfd (its size is final from then on), the
// daemon maps it, one of the two seal functions, and only then may a client get it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

#include "shm/sys_error.h"
#include "shm/unique_fd.h"

namespace pqd {

// A file of exactly `bytes` zero bytes, close-on-exec, not executable, that can neither shrink nor grow. All
// memory is allocated here, so that lack of it is an error now (ENOSPC, ENOMEM) and not a SIGBUS later.
std::expected<UniqueFd, SysError> create_memfd(const char* name, uint64_t bytes);

// For files that the client writes: no further seal can be added, so that it cannot lock the daemon out.
std::expected<void, SysError> seal_for_client_writing(int fd);

// For files that the daemon writes: nobody can map them writable any more, write() to them or punch holes.
// Mappings that exist stay writable, also in children forked later. REQUIRES: everybody who has to write has
// mapped it.
std::expected<void, SysError> seal_for_client_reading(int fd);

// A small file whose content is final: nobody can write to it any more.
std::expected<UniqueFd, SysError> create_final_memfd(const char* name, std::span<const std::byte> content);

// Fills a file that nobody has sealed yet with the content of another one of the same size.
std::expected<void, SysError> copy_memfd(int from, int to, uint64_t bytes);

// For the receiver: has the file exactly this size, and the seals that make it safe to map?
std::expected<void, SysError> check_memfd(int fd, uint64_t bytes);

// Whom a file is sealed for.
enum class Sealed : uint8_t { kForClientWriting, kForClientReading, kForNobodysWriting };
// The same, and is it one of ours that was sealed like this?
std::expected<void, SysError> check_memfd(int fd, uint64_t bytes, Sealed sealed);

}  // namespace pqd
