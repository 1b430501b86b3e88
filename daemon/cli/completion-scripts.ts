/** The shell hands over every word up to the cursor; `dmgw __complete` answers candidates, one a line. So nothing is listed twice. */
export const scripts: ReadonlyMap<string, string> = new Map([
  [
    "bash",
    `_dmgw() {
  local line=\${COMP_LINE:0:COMP_POINT} cur=\${COMP_WORDS[COMP_CWORD]} words word candidate
  # The shell breaks words at : = and @, where a name of ours goes on; so the words are taken from the line itself.
  read -a words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  word=\${words[\${#words[@]}-1]}
  [[ $cur == [:=@]* ]] && cur=
  COMPREPLY=()
  case \${words[\${#words[@]}-2]} in --config | --ca | --*-file) compopt -o default; return ;; esac
  while IFS= read -r candidate; do
    printf -v candidate %q "\${candidate#"\${word%"$cur"}"}"
    COMPREPLY+=("$candidate")
  done < <("\${words[0]}" __complete -- "\${words[@]:1}" 2> /dev/null)
  [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == */ ]] && compopt -o nospace
  return 0
}
complete -F _dmgw dmgw`,
  ],
  [
    "zsh",
    `#compdef dmgw
_dmgw() {
  local -a candidates
  case \${words[CURRENT-1]} in --config|--ca|--*-file) _files; return ;; esac
  candidates=("\${(@f)$(dmgw __complete -- "\${(@Q)words[2,CURRENT]}" 2> /dev/null)}")
  candidates=("\${(@)candidates:#}")
  compadd -S '' -- "\${(@M)candidates:#*/}"
  compadd -- "\${(@)candidates:#*/}"
}
compdef _dmgw dmgw`,
  ],
  [
    "fish",
    `function __dmgw_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l word (commandline -ct)
    dmgw __complete -- $words "$word" 2>/dev/null
end
complete -c dmgw -f -a '(__dmgw_complete)'`,
  ],
]);
