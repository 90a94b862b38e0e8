/* Records what a program does to the files of one folder and what it sends, in one order, for tests/power.

Loaded before the C library (LD_PRELOAD). Each record is appended by one writev(2), so that the records of several
threads and processes stand whole and in the order in which things happened: a write before it is made, a sync after it
has returned, what is sent before it leaves.

  char what; uint32 length of name; uint64 inode; uint64 offset or size; uint32 length of data; name; data

  C created  W written  T truncated  S synced (file or folder)  L linked  R renamed  U removed  N sent over a socket
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST 65536
static char watched[MOST];
static const char *folder;
static size_t folder_length;
static int record_to = -1;

#define NEXT(type, name) static __typeof__(type) *known; if (!known) known = (__typeof__(type) *)dlsym(RTLD_NEXT, name)

__attribute__((constructor)) static void begin(void) {
  folder = getenv("POWER_FOLDER");
  const char *path = getenv("POWER_LOG");
  if (!folder || !path) return;
  folder_length = strlen(folder);
  record_to = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* A name from the root, in one of two places that take turns for each thread. */
static const char *whole(const char *path) {
  static __thread char places[2][8192];
  static __thread int turn;
  char *place = places[turn = !turn];
  if (!path || path[0] == '/') return path;
  if (!getcwd(place, 4096)) return path;
  strcat(place, "/");
  strncat(place, path, 4095);
  return place;
}

static int ours(const char *path) {
  return record_to >= 0 && path && !strncmp(whole(path), folder, folder_length);
}

static void record(char what, const char *name, uint64_t inode, uint64_t offset, const void *data, size_t length) {
  uint32_t names = name ? (uint32_t)strlen(name) : 0, size = (uint32_t)length;
  char head[25];
  head[0] = what;
  memcpy(head + 1, &names, 4); memcpy(head + 5, &inode, 8); memcpy(head + 13, &offset, 8); memcpy(head + 21, &size, 4);
  struct iovec parts[3] = {{head, sizeof head}, {(void *)name, names}, {(void *)data, length}};
  if (syscall(SYS_writev, record_to, parts, 3) != (long)(sizeof head + names + length)) abort();
}

static uint64_t inode_of(int fd) {
  struct stat found;
  return fstat(fd, &found) ? 0 : found.st_ino;
}

static int is_watched(int fd) { return fd >= 0 && fd < MOST && watched[fd]; }

static int opened(int fd, const char *path, int flags, int is_new) {
  if (fd >= 0 && fd < MOST) watched[fd] = (char)ours(path);
  if (fd >= 0 && ours(path)) {
    if (is_new) record('C', whole(path), inode_of(fd), 0, 0, 0);
    if (flags & O_TRUNC) record('T', 0, inode_of(fd), 0, 0, 0);
  }
  return fd;
}

static int is_new(int at, const char *path, int flags) {
  return ours(path) && (flags & O_CREAT) && faccessat(at, path, F_OK, 0) != 0;
}

#define MODE mode_t mode = 0; if (flags & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }
#define OPEN(name) int name(const char *path, int flags, ...) { \
  MODE NEXT(int(const char *, int, ...), #name); int new = is_new(AT_FDCWD, path, flags); return opened(known(path, flags, mode), path, flags, new); }
#define OPENAT(name) int name(int at, const char *path, int flags, ...) { \
  MODE NEXT(int(int, const char *, int, ...), #name); int new = is_new(at, path, flags); return opened(known(at, path, flags, mode), path, flags, new); }
OPEN(open) OPEN(open64) OPENAT(openat) OPENAT(openat64)

int close(int fd) {
  NEXT(int(int), "close");
  if (fd >= 0 && fd < MOST) watched[fd] = 0;
  return known(fd);
}

#define PWRITE(name) ssize_t name(int fd, const void *data, size_t size, off_t at) { \
  NEXT(ssize_t(int, const void *, size_t, off_t), #name); \
  if (is_watched(fd)) record('W', 0, inode_of(fd), (uint64_t)at, data, size); \
  return known(fd, data, size, at); }
PWRITE(pwrite) PWRITE(pwrite64)

ssize_t write(int fd, const void *data, size_t size) {
  NEXT(ssize_t(int, const void *, size_t), "write");
  if (is_watched(fd)) {
    int at_end = fcntl(fd, F_GETFL) & O_APPEND;
    record('W', 0, inode_of(fd), (uint64_t)lseek(fd, 0, at_end ? SEEK_END : SEEK_CUR), data, size);
  }
  return known(fd, data, size);
}

#define TRUNCATE(name) int name(int fd, off_t size) { NEXT(int(int, off_t), #name); \
  if (is_watched(fd)) record('T', 0, inode_of(fd), (uint64_t)size, 0, 0); \
  return known(fd, size); }
TRUNCATE(ftruncate) TRUNCATE(ftruncate64)

#define SYNC(name) int name(int fd) { NEXT(int(int), #name); int done = known(fd); \
  if (!done && is_watched(fd)) record('S', 0, inode_of(fd), 0, 0, 0); return done; }
SYNC(fsync) SYNC(fdatasync)

static int named(char what, const char *from, const char *to, int done) {
  struct stat found;
  if (!done && ours(to) && !stat(to, &found)) record(what, whole(to), found.st_ino, 0, whole(from), strlen(whole(from)));
  return done;
}

int link(const char *from, const char *to) { NEXT(int(const char *, const char *), "link"); return named('L', from, to, known(from, to)); }
int rename(const char *from, const char *to) { NEXT(int(const char *, const char *), "rename"); return named('R', from, to, known(from, to)); }
int linkat(int at, const char *from, int to_at, const char *to, int flags) {
  NEXT(int(int, const char *, int, const char *, int), "linkat"); return named('L', from, to, known(at, from, to_at, to, flags)); }
int renameat(int at, const char *from, int to_at, const char *to) {
  NEXT(int(int, const char *, int, const char *), "renameat"); return named('R', from, to, known(at, from, to_at, to)); }

int unlink(const char *path) {
  NEXT(int(const char *), "unlink");
  int done = known(path);
  if (!done && ours(path)) record('U', whole(path), 0, 0, 0, 0);
  return done;
}

int unlinkat(int at, const char *path, int flags) {
  NEXT(int(int, const char *, int), "unlinkat");
  int done = known(at, path, flags);
  if (!done && ours(path)) record('U', whole(path), 0, 0, 0, 0);
  return done;
}

static void sent(const void *data, size_t size) { if (record_to >= 0) record('N', 0, 0, 0, data, size); }

ssize_t send(int fd, const void *data, size_t size, int flags) {
  NEXT(ssize_t(int, const void *, size_t, int), "send");
  sent(data, size);
  return known(fd, data, size, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  NEXT(ssize_t(int, const struct msghdr *, int), "sendmsg");
  for (size_t at = 0; at < message->msg_iovlen; at++) sent(message->msg_iov[at].iov_base, message->msg_iov[at].iov_len);
  return known(fd, message, flags);
}
