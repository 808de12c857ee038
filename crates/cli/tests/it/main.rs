//! The program from outside: started, killed, fed with nonsense, and asked afterwards whether everything is sound.
mod backups;
mod bad_input;
mod braid;
mod config;
mod exports;
mod full_disk;
mod http;
mod kills;
mod moving;
mod postgres_away;
mod price;
mod source;
mod start;
mod stores;
mod story;
