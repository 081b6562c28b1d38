#include "daemon/store/done_pack.h"

#include <algorithm>
#include <array>

#include "daemon/store/keys.h"

namespace pqd {
namespace {

constexpr uint8_t kVersion = 1;

void write_ids(ByteWriter& out, size_t count) {
  out.pod(kVersion);
  out.pod(static_cast<uint8_t>(count));
}

std::optional<std::vector<JobId>> read_ids(ByteReader& in) {
  if (in.pod<uint8_t>() != kVersion) return std::nullopt;
  std::vector<JobId> ids(in.pod<uint8_t>());
  if (ids.empty() || ids.size() > DonePack::kJobsMax) return std::nullopt;
  for (size_t i = 0; i < ids.size(); ++i) {
    ids[i] = in.pod<JobId>();
    if (i > 0 && ids[i] <= ids[i - 1]) return std::nullopt;
  }
  if (in.failed()) return std::nullopt;
  return ids;
}

}  // namespace

std::string write_pack_key(ByteView prefix, const DonePackKey& key) {
  std::string bytes(prefix.size() + DonePackKey::kBytes, '\0');
  auto* out = reinterpret_cast<std::byte*>(bytes.data());
  std::ranges::copy(prefix, out);
  out += prefix.size();
  keys::put_big(key.run.window, out);
  keys::put_big(key.run.covered, out + 8);
  keys::put_big32(key.run.epoch, out + 16);
  keys::put_big(key.first.high, out + 20);
  keys::put_big(key.first.low, out + 28);
  return bytes;
}

std::optional<DonePackKey> read_pack_key(ByteView bytes, size_t prefix_bytes) {
  if (bytes.size() != prefix_bytes + DonePackKey::kBytes) return std::nullopt;
  const std::byte* in = bytes.data() + prefix_bytes;
  return DonePackKey{{keys::get_big(in), keys::get_big(in + 8), keys::get_big32(in + 16)},
                     {keys::get_big(in + 20), keys::get_big(in + 28)}};
}

Bytes pack_done(std::span<const std::pair<JobId, ByteView>> jobs) {
  Bytes bytes;
  size_t total = 2;
  for (const auto& [id, row] : jobs) total += sizeof id + sizeof(uint32_t) + row.size();
  bytes.reserve(total);
  ByteWriter out(bytes);
  write_ids(out, jobs.size());
  for (const auto& [id, row] : jobs) out.pod(id);
  for (const auto& [id, row] : jobs) out.pod(static_cast<uint32_t>(row.size()));
  for (const auto& [id, row] : jobs) out.raw_bytes(row);
  return bytes;
}

Bytes pack_done_ids(std::span<const JobId> ids) {
  Bytes bytes;
  bytes.reserve(2 + ids.size_bytes());
  ByteWriter out(bytes);
  write_ids(out, ids.size());
  for (const JobId& id : ids) out.pod(id);
  return bytes;
}

std::optional<DonePack> unpack_done(ByteView bytes) {
  ByteReader in(bytes);
  auto ids = read_ids(in);
  if (!ids) return std::nullopt;
  DonePack pack{std::move(*ids), {}};
  std::array<uint32_t, DonePack::kJobsMax> sizes{};
  for (size_t i = 0; i < pack.ids.size(); ++i) sizes[i] = in.pod<uint32_t>();
  pack.rows.reserve(pack.ids.size());
  for (size_t i = 0; i < pack.ids.size(); ++i) pack.rows.push_back(in.raw_bytes(sizes[i]));
  if (in.failed() || in.remaining() != 0) return std::nullopt;
  return pack;
}

std::optional<DonePack> unpack_done_ids(ByteView bytes) {
  ByteReader in(bytes);
  auto ids = read_ids(in);
  if (!ids || in.remaining() != 0) return std::nullopt;
  return DonePack{std::move(*ids), {}};
}

}  // namespace pqd
