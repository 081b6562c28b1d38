#include "shm/mapping.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <boost/interprocess/mapped_region.hpp>
#include <utility>
#include <vector>

namespace pqd {
namespace {

namespace ipc = boost::interprocess;

// What mapped_region wants to see of a file.
struct MemoryFile {
  int fd;
  ipc::mapping_handle_t get_mapping_handle() const {
    return ipc::ipcdetail::mapping_handle_from_file_handle(fd);
  }
};

// Addresses without memory, so that the parts can be laid next to each other and nothing else gets between.
// What has not been taken over by a part is given back.
class Reservation {
 public:
  explicit Reservation(uint64_t bytes) : bytes_(bytes) {
    void* address = ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (address != MAP_FAILED) base_ = static_cast<std::byte*>(address);
  }
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;
  ~Reservation() {
    if (base_ != nullptr && taken_ < bytes_) ::munmap(base_ + taken_, bytes_ - taken_);
  }

  std::byte* base() const { return base_; }
  std::byte* next() const { return base_ + taken_; }
  void take(uint64_t bytes) { taken_ += bytes; }

 private:
  std::byte* base_ = nullptr;
  uint64_t bytes_;
  uint64_t taken_ = 0;
};

std::expected<void, SysError> check_length(int fd, uint64_t bytes) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return std::unexpected(SysError::last("fstat"));
  if (static_cast<uint64_t>(status.st_size) < bytes) return std::unexpected(SysError{ENODATA, "fstat"});
  return {};
}

void map_parts(int fd, const MappingLayout& layout, ipc::mode_t mode, Reservation& space,
               std::vector<ipc::mapped_region>& regions) {
  for (uint64_t i = 0; i < layout.part_count; ++i) {
    const MappingPart& part = layout.parts[i];
    for (uint64_t copy = 0; copy < part.copies; ++copy) {
      regions.emplace_back(MemoryFile{fd}, mode, static_cast<ipc::offset_t>(layout.file_offset(i)),
                           part.bytes, space.next(), MAP_FIXED);
      space.take(part.bytes);
    }
  }
}

}  // namespace

struct Mapping::Regions {
  std::vector<ipc::mapped_region> list;
};

Mapping::Mapping() noexcept = default;
Mapping::Mapping(Mapping&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)),
      layout_(std::exchange(other.layout_, {})),
      regions_(std::move(other.regions_)) {}
Mapping& Mapping::operator=(Mapping&& other) noexcept {
  if (this != &other) {
    unmap();
    base_ = std::exchange(other.base_, nullptr);
    layout_ = std::exchange(other.layout_, {});
    regions_ = std::move(other.regions_);
  }
  return *this;
}
Mapping::~Mapping() { unmap(); }

void Mapping::unmap() {
  if (regions_ != nullptr)
    regions_.reset();
  else if (base_ != nullptr)
    ::munmap(base_, layout_.address_bytes());
  base_ = nullptr;
}

std::expected<Mapping, SysError> Mapping::map(int fd, const MappingLayout& layout, Access access,
                                              OnFork on_fork) {
  if (auto length = check_length(fd, layout.file_bytes()); !length) return std::unexpected(length.error());
  Reservation space(layout.address_bytes());
  if (space.base() == nullptr) return std::unexpected(SysError::last("mmap"));
  auto regions = std::make_unique<Regions>();
  try {
    regions->list.reserve(layout.part_count * 2);
    map_parts(fd, layout, access == Access::kReadOnly ? ipc::read_only : ipc::read_write, space,
              regions->list);
  } catch (const ipc::interprocess_exception& failure) {
    return std::unexpected(SysError{failure.get_native_error(), "mmap"});
  }
  if (on_fork == OnFork::kDrop && ::madvise(space.base(), layout.address_bytes(), MADV_DONTFORK) != 0)
    return std::unexpected(SysError::last("madvise"));
  Mapping mapping;
  mapping.base_ = space.base();
  mapping.layout_ = layout;
  mapping.regions_ = std::move(regions);
  return mapping;
}

std::expected<void, SysError> Mapping::replace(int fd, Access access, OnFork on_fork) {
  if (auto length = check_length(fd, layout_.file_bytes()); !length) return length;
  const int protection = access == Access::kReadOnly ? PROT_READ : PROT_READ | PROT_WRITE;
  std::byte* at = base_;
  for (uint64_t i = 0; i < layout_.part_count; ++i) {
    const MappingPart& part = layout_.parts[i];
    for (uint64_t copy = 0; copy < part.copies; ++copy, at += part.bytes) {
      if (::mmap(at, part.bytes, protection, MAP_SHARED | MAP_FIXED, fd,
                 static_cast<off_t>(layout_.file_offset(i))) == MAP_FAILED)
        return std::unexpected(SysError::last("mmap"));
    }
  }
  if (on_fork == OnFork::kDrop && ::madvise(base_, layout_.address_bytes(), MADV_DONTFORK) != 0)
    return std::unexpected(SysError::last("madvise"));
  return {};
}

Mapping Mapping::adopt(std::byte* base, const MappingLayout& layout) {
  Mapping mapping;
  mapping.base_ = base;
  mapping.layout_ = layout;
  return mapping;
}

}  // namespace pqd
